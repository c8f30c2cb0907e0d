// Gradients that travel while lanes are at work: what a trainer tells its peers, what becomes of a rank that fails
// meanwhile, and what a rank holds afterwards.
#include <chrono>
#include <mutex>

#include "chapters/21-several-machines/data_parallel.hpp"
#include "chapters/21-several-machines/in_process.hpp"
#include "chapters/21-several-machines/machine_costs.hpp"
#include "lib/base/pages.hpp"
#include "tests/chapters/random_batch.hpp"
#include "tests/chapters/tiny_llama.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

constexpr size_t few_numbers = 100;  // in a piece, so that a gradient has many

TrainerOptions four_lanes() {
  TrainerOptions o;
  o.batch = 7, o.positions = 12, o.lanes = 4, o.clip_norm = 0.5;
  return o;
}

}  // namespace

TEST_CASE("lanes without a sequence, and tied embeddings: the bits of one process") {
  LlamaConfig tied = tiny();
  tied.tied_embeddings = true;
  const auto after_steps = [&](Peers* peers, const std::function<void(Trainer&)>& work) {
    const LlamaParameters weights(tied);
    randomise(weights, 1);
    ThreadPool pool(2);
    Trainer trainer(weights, four_lanes(), pool, peers);
    work(trainer);
    return std::vector<real>(weights.flat().begin(), weights.flat().end());
  };
  const auto two_steps = [](Trainer& trainer) {
    for (const size_t seed : {1, 2}) trainer.step(random_batch(2, 12, seed), 0.01);
  };
  const std::vector<real> expected = after_steps(nullptr, two_steps);
  for (const size_t ranks : {2, 3, 4}) {
    CAPTURE(ranks);
    std::vector<std::vector<real>> weights(ranks);
    run_ranks(ranks, [&](Communicator& here) {
      DataParallel peers(here, few_numbers);
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
      Trainer trainer(weights, four_lanes(), pool, &peers);
      trainer.evaluate(random_batch(7, 12, 1));
      CHECK(peers.told.empty());
      trainer.step(random_batch(7, 12, 1), 0.01);
      CHECK(peers.changed == "");
      CHECK(peers.told.size() == four_lanes().lanes);
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
      DataParallel peers(here, few_numbers);
      Trainer trainer(tiny(), here.rank() == failing ? until : all, four_lanes(), pool, &peers);
      if (here.rank() > 0) return follow(trainer, peers);
      trainer.step(random_batch(7, 12, 1), 0.01);
    };
    CHECK_THROWS_WITH(run_ranks(3, train), "no more");
    CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(10));  // and nobody has lost patience
  }
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
  constexpr size_t lanes = 4;
  const size_t count = parameter_count(config);
  TrainerOptions short_steps = four_lanes();
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
