// Training on several ranks: the bits of one process, what is sent and held against what was predicted, and going on
// with another number of ranks.
#include "chapters/21-several-machines/data_parallel.hpp"

#include <chrono>
#include <mutex>

#include "chapters/21-several-machines/in_process.hpp"
#include "chapters/21-several-machines/machine_costs.hpp"
#include "lib/base/pages.hpp"
#include "tests/chapters/random_batch.hpp"
#include "tests/chapters/tiny_llama.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

constexpr size_t sequences = 7, positions = 12, lanes = 4;
constexpr size_t piece = 100;  // so that a gradient has many

TrainerOptions options() {
  TrainerOptions o;
  o.batch = sequences, o.positions = positions, o.micro_batch = 1, o.lanes = lanes;
  o.clip_norm = 0.5;  // below each norm here, so that all steps are clipped
  return o;
}

// With lanes of unequal numbers of targets: those of the first sequences are cut short.
TokenBatch uneven_batch(std::uint64_t seed) {
  TokenBatch batch = random_batch(sequences, positions, seed);
  for (size_t n = 0; n < 3 * positions; ++n)
    if (n % positions > 2) batch.targets[n] = no_target;
  return batch;
}

// All that a run is: numbers of each step, weights, both moments.
struct Trained {
  std::vector<double> losses, norms;
  double held_out = 0;
  std::vector<real> weights, first, second;
  bool operator==(const Trained&) const = default;
};

void keep(Trained& trained, const LlamaParameters& weights, const AdamW& whole) {
  trained.weights.assign(weights.flat().begin(), weights.flat().end());
  trained.first.assign(whole.first_moment().flat().begin(), whole.first_moment().flat().end());
  trained.second.assign(whole.second_moment().flat().begin(), whole.second_moment().flat().end());
}

void do_steps(Trainer& trainer, Range steps, Trained& trained) {
  for (size_t step = steps.begin; step < steps.end; ++step) {
    const StepResult result = trainer.step(uneven_batch(step), 0.01);
    trained.losses.push_back(result.loss), trained.norms.push_back(result.gradient_norm);
  }
  trained.held_out = trainer.evaluate(random_batch(5, positions, 100));
}

Trained in_one_process(size_t steps) {
  const LlamaParameters weights(tiny());
  randomise(weights, 1);
  ThreadPool pool(1);
  Trainer trainer(weights, options(), pool);
  Trained trained;
  do_steps(trainer, {0, steps}, trained);
  keep(trained, weights, trainer.optimiser());
  return trained;
}

// Goes on with what `trained` holds, if anything; each rank with so many threads.
void on_ranks(size_t ranks, Range steps, Trained& trained, size_t threads = 1) {
  run_ranks(ranks, [&](Communicator& here) {
    const LlamaParameters weights(tiny());
    ThreadPool pool(threads);
    DataParallel peers(here, piece);
    Trainer trainer(weights, options(), pool, &peers);
    if (here.rank() > 0) return follow(trainer, peers);
    if (trained.weights.empty()) {
      randomise(weights, 1);
      trainer.share_state(nullptr);
    } else {
      std::ranges::copy(trained.weights, weights.flat().begin());
      AdamW whole(weights, {});
      std::ranges::copy(trained.first, whole.first_moment().flat().begin());
      std::ranges::copy(trained.second, whole.second_moment().flat().begin());
      whole.set_steps(steps.begin);
      trainer.share_state(&whole);
    }
    do_steps(trainer, steps, trained);
    const AdamW whole = trainer.whole_optimiser();
    CHECK(whole.steps() == steps.end);
    keep(trained, weights, whole);
    peers.begin({});
  });
}

}  // namespace

TEST_CASE("1, 2, 3 and 4 ranks train with the bits of one process: losses, norms, weights and moments") {
  const Trained expected = in_one_process(5);
  for (const double norm : expected.norms) CHECK(norm > options().clip_norm);
  for (const size_t ranks : {1, 2, 3, 4}) {
    CAPTURE(ranks);
    Trained trained;
    on_ranks(ranks, {0, 5}, trained);
    CHECK(trained.losses == expected.losses);
    CHECK(trained.norms == expected.norms);
    CHECK(trained.held_out == expected.held_out);
    CHECK(difference(trained.weights, expected.weights, 0) == "");
    CHECK(difference(trained.first, expected.first, 0) == "");
    CHECK(difference(trained.second, expected.second, 0) == "");
  }
}

TEST_CASE("lanes without a sequence, and tied embeddings: the bits of one process") {
  LlamaConfig tied = tiny();
  tied.tied_embeddings = true;
  const auto after_steps = [&](Peers* peers, const std::function<void(Trainer&)>& work) {
    const LlamaParameters weights(tied);
    randomise(weights, 1);
    ThreadPool pool(2);
    Trainer trainer(weights, options(), pool, peers);
    work(trainer);
    return std::vector<real>(weights.flat().begin(), weights.flat().end());
  };
  const auto two_steps = [](Trainer& trainer) {
    for (const size_t seed : {1, 2}) trainer.step(random_batch(2, positions, seed), 0.01);
  };
  const std::vector<real> expected = after_steps(nullptr, two_steps);
  for (const size_t ranks : {2, 3, 4}) {
    CAPTURE(ranks);
    std::vector<std::vector<real>> weights(ranks);
    run_ranks(ranks, [&](Communicator& here) {
      DataParallel peers(here, piece);
      weights[here.rank()] = after_steps(&peers, [&](Trainer& trainer) {
        if (here.rank() > 0) return follow(trainer, peers);
        two_steps(trainer);
        peers.begin({});
      });
    });
    for (const auto& of_rank : weights) CHECK(difference(of_rank, expected, 0) == "");
  }
}

TEST_CASE("lanes tell layer by layer what is final, in their last micro-batch, and do not change it any more") {
  // Keeps what was final, and looks at it again when backward is over.
  class Listening : public DataParallel {
   public:
    using DataParallel::DataParallel;
    void final_from(std::span<const std::span<real>> all, size_t lane, size_t begin) override {
      const std::lock_guard lock(mutex_);
      told.resize(all.size());
      told[lane].emplace_back(begin, std::vector<real>(all[lane].begin() + std::ptrdiff_t(begin), all[lane].end()));
    }
    void sum_lanes(std::span<const std::span<real>> all) override {
      for (size_t lane = 0; lane < all.size(); ++lane)
        for (const auto& [begin, numbers] : told[lane]) changed += difference(all[lane].subspan(begin), numbers, 0);
      DataParallel::sum_lanes(all);
    }
    std::vector<std::vector<std::pair<size_t, std::vector<real>>>> told;
    std::string changed;

   private:
    std::mutex mutex_;
  };
  for (const size_t threads : {1, 2}) {
    const LlamaParameters weights(tiny());
    randomise(weights, 1);
    std::vector<size_t> begins;  // of layer 1, of layer 0, and all
    for (const size_t layer : {1, 0})
      begins.push_back(size_t(weights.tensors().layers[layer].attention_norm.data() - weights.flat().data()));
    begins.push_back(0);
    run_ranks(1, [&](Communicator& here) {
      ThreadPool pool(threads);
      Listening peers(here);
      Trainer trainer(weights, options(), pool, &peers);
      trainer.evaluate(uneven_batch(1));
      CHECK(peers.told.empty());
      trainer.step(uneven_batch(1), 0.01);
      CHECK(peers.changed == "");
      CHECK(peers.told.size() == lanes);
      for (const auto& lane : peers.told) {
        std::vector<size_t> said;
        for (const auto& [begin, numbers] : lane) said.push_back(begin);
        CHECK(said == begins);
      }
    });
  }
}

TEST_CASE("a rank that fails in the middle of backward ends the step of all") {
  // Gradients of the layers above are on their way.
  class Failing : public LossEvaluator {
   public:
    using LossEvaluator::forward_backward;
    using LossEvaluator::LossEvaluator;
    double forward_backward(const LlamaWeights& weights, const Batch& batch, const Objective& objective,
                            const LlamaTensors<real>& gradients) override {
      LlamaTensors<real> until = gradients;
      until.layer_formed = [&](size_t layer) {
        if (!gradients.layer_formed) return;  // not a lane's last pass: nothing of it is final
        gradients.layer_formed(layer);
        if (layer == 0) throw UserError("no more");
      };
      return LossEvaluator::forward_backward(weights, batch, objective, until);
    }
  };
  for (const size_t failing : {0, 1, 2}) {
    CAPTURE(failing);
    const auto began = std::chrono::steady_clock::now();
    const auto train = [&](Communicator& here) {
      const LlamaParameters weights(tiny());
      randomise(weights, 1);
      const Trainable all(weights);
      const Trainable until(weights, all.lane, [](size_t B, size_t T) -> std::unique_ptr<Evaluator> {
        return std::make_unique<Failing>(tiny(), B, T, true);
      });
      ThreadPool pool(1);
      DataParallel peers(here, piece);
      Trainer trainer(tiny(), here.rank() == failing ? until : all, options(), pool, &peers);
      if (here.rank() > 0) return follow(trainer, peers);
      trainer.step(uneven_batch(1), 0.01);
    };
    CHECK_THROWS_WITH(run_ranks(3, train), "no more");
    CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(10));  // and nobody has lost patience
  }
}

TEST_CASE("a run goes on with another number of ranks, and has the same bits") {
  const Trained expected = in_one_process(6);
  Trained trained;
  on_ranks(4, {0, 2}, trained);
  on_ranks(1, {2, 3}, trained);
  on_ranks(2, {3, 5}, trained, 2);
  on_ranks(3, {5, 6}, trained);
  CHECK((trained == expected));
}

TEST_CASE("what a step sends is what was predicted, byte for byte") {
  for (const bool masked : {false, true})
    for (const size_t ranks : {1, 2, 3, 4}) {
      CAPTURE(masked, ranks);
      const size_t numbers = masked ? piece : 10 * parameter_count(tiny());  // in a piece: many of them, and one
      const SharedStep step{ranks, lanes, parameter_count(tiny()), sequences, positions, masked};
      std::vector<std::uint64_t> sent(ranks);
      run_ranks(ranks, [&](Communicator& here) {
        const LlamaParameters weights(tiny());
        randomise(weights, 1);
        ThreadPool pool(1);
        DataParallel peers(here, numbers);
        Trainer trainer(weights, options(), pool, &peers);
        const TokenBatch tokens = random_batch(sequences, positions, 1);
        const std::vector<std::int32_t> own_row_only(sequences * positions);
        Batch batch = tokens;
        if (masked) batch.first_key = own_row_only;
        const Task task = here.rank() > 0 ? peers.next() : Task();
        trainer.step(here.rank() > 0 ? task.batch : batch, 0.01);
        sent[here.rank()] = here.bytes_sent();
      });
      for (size_t rank = 0; rank < ranks; ++rank) CHECK(sent[rank] == step_bytes(step, rank));
    }
}

TEST_CASE("what a step sends: the numbers of the lesson") {
  // 1000 numbers on 2 ranks with 4 lanes; a batch of 2 sequences of 8 positions, without a mask.
  const SharedStep step{2, 4, 1000, 2, 8, false};
  CHECK(step_bytes(step, 0) == 40 + 4 * 32 + 8 * 2 + sizeof(real) * 1000 + 8 * 32 + sizeof(real) * 500);
  CHECK(step_bytes(step, 1) == 8 * 2 + sizeof(real) * 500 + 8 * 32 + sizeof(real) * 500);
  CHECK(step_bytes({1, 4, 1000, 2, 8, false}, 0) == 0);
}

TEST_CASE(
    "between steps a rank holds its parts of the gradient, as predicted for ZeRO's stage 2, and trains the same") {
  // Knows where the trainer's gradients are.
  class Seen : public DataParallel {
   public:
    using DataParallel::DataParallel;
    void sum_lanes(std::span<const std::span<real>> lanes) override {
      seen.assign(lanes.begin(), lanes.end());
      DataParallel::sum_lanes(lanes);
    }
    std::vector<std::span<real>> seen;
  };
  LlamaConfig config = tiny();  // whose gradient takes 10 MB
  config.dim = 256, config.hidden_dim = 32, config.vocabulary_size = 10000;
  config.tied_embeddings = true;  // else the gradient of tokens that do not occur is never touched
  const size_t count = parameter_count(config);
  TrainerOptions short_steps = options();
  short_steps.positions = 2;
  const LlamaParameters start(config), expected(config);
  for (size_t i = 0; i < count; ++i) start.flat()[i] = (real(i % 13) - real(5.5)) / 100;
  const auto two_steps = [](Trainer& trainer) {
    for (const size_t seed : {1, 2}) trainer.step(random_batch(lanes, 2, seed), 0.01);
  };
  std::ranges::copy(start.flat(), expected.flat().begin());
  {
    ThreadPool pool(1);
    Trainer trainer(expected, short_steps, pool);
    two_steps(trainer);
  }
  constexpr size_t ranks = 2;
  std::vector<std::uint64_t> held(ranks);
  std::vector<int> same(ranks);
  run_ranks(ranks, [&](Communicator& here) {
    const LlamaParameters weights(config);
    std::ranges::copy(start.flat(), weights.flat().begin());
    ThreadPool pool(1);
    Seen peers(here);
    Trainer trainer(weights, short_steps, pool, &peers);
    if (here.rank() > 0) {
      follow(trainer, peers);
    } else {
      two_steps(trainer);
      peers.begin({});
    }
    for (const std::span<real> lane : peers.seen) held[here.rank()] += resident_bytes(std::as_bytes(lane)).value_or(0);
    same[here.rank()] = difference(weights.flat(), expected.flat(), 0) == "";
  });
  CHECK(same == std::vector<int>(ranks, 1));
  if (!resident_bytes(std::as_bytes(start.flat()))) return;  // the system cannot be asked
  const SharedStep step{ranks, lanes, count, lanes, 2, false};
  for (size_t rank = 0; rank < ranks; ++rank) {
    const std::uint64_t own = state_bytes(ZeroStage::gradients, step, rank).gradients;
    // A huge page is held for a single number in it, and the page in which a lane ends for what lies behind it.
    const std::uint64_t edges = 2 * huge_page_bytes + Shares{ranks, lanes, lanes}.of(rank).size() * page_bytes();
    CAPTURE(rank, own, held[rank]);
    CHECK(held[rank] >= own);
    CHECK(held[rank] <= own + edges);
    CHECK(2 * (own + edges) < state_bytes(ZeroStage::moments, step, rank).gradients);
  }
}

TEST_CASE("what a rank holds is what was predicted, and ZeRO's stages cut one thing after the other") {
  for (const size_t ranks : {1, 2, 3, 4}) {
    const SharedStep step{ranks, lanes, parameter_count(tiny()), sequences, positions, false};
    std::vector<std::uint64_t> moments(ranks);
    run_ranks(ranks, [&](Communicator& here) {
      const LlamaParameters weights(tiny());
      ThreadPool pool(1);
      DataParallel peers(here);
      Trainer trainer(weights, options(), pool, &peers);
      const AdamW& own = trainer.optimiser();
      moments[here.rank()] = own.first_moment().flat().size_bytes() + own.second_moment().flat().size_bytes();
    });
    CAPTURE(ranks);
    for (size_t rank = 0; rank < ranks; ++rank)
      CHECK(moments[rank] == state_bytes(ZeroStage::moments, step, rank).moments);
  }
  const SharedStep step{4, 4, 6400, 1, 1, false};
  const std::uint64_t all = sizeof(real) * 6400;
  const auto holds = [&](ZeroStage stage) {
    const StateBytes bytes = state_bytes(stage, step, 1);
    return std::vector{bytes.weights, bytes.gradients, bytes.moments};
  };
  CHECK(state_bytes(ZeroStage::none, {2, 4, 6400, 1, 1, false}, 0).gradients == 2 * all);  // two lanes
  CHECK(holds(ZeroStage::none) == std::vector{all, all, 2 * all});
  CHECK(holds(ZeroStage::moments) == std::vector{all, all, all / 2});
  CHECK(state_bytes(ZeroStage::gradients, {2, 4, 6400, 1, 1, false}, 0).gradients == all / 2);
  CHECK(holds(ZeroStage::gradients) == std::vector{all, all / 4, all / 2});
  CHECK(holds(ZeroStage::weights) == std::vector{all / 4, all / 4, all / 2});
}

TEST_CASE("a loss that is not finite leaves the weights of all ranks as they were") {
  std::vector<int> same(2);
  run_ranks(2, [&](Communicator& here) {
    const LlamaParameters weights(tiny());
    randomise(weights, 1);
    weights.tensors().norm(0) = std::numeric_limits<real>::infinity();
    const std::vector<real> before(weights.flat().begin(), weights.flat().end());
    ThreadPool pool(1);
    DataParallel peers(here);
    Trainer trainer(weights, options(), pool, &peers);
    if (here.rank() > 0) {
      follow(trainer, peers);
    } else {
      CHECK_FALSE(std::isfinite(trainer.step(random_batch(sequences, positions, 1), 0.1).loss));
      peers.begin({});
    }
    same[here.rank()] = difference(weights.flat(), before, 0) == "";
  });
  CHECK(same == std::vector{1, 1});
}

TEST_CASE("more ranks than lanes, and objectives of other kinds, are refused") {
  CHECK_THROWS_WITH(require_enough_lanes(5, options()), contains("5 ranks cannot share 4 lanes"));
  run_ranks(2, [&](Communicator& here) {
    const LlamaParameters weights(tiny());
    ThreadPool pool(1);
    DataParallel peers(here);
    Trainer trainer(weights, options(), pool, &peers);
    if (here.rank() == 0)
      CHECK_THROWS_AS(trainer.step(random_batch(sequences, positions, 1), 0.1, cross_entropy(1)), ContractError);
  });
}
