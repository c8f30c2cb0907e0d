// Training on several ranks: the bits of one process, what is sent and held against what was predicted, and going on
// with another number of ranks.
#include "chapters/21-several-machines/data_parallel.hpp"

#include "chapters/21-several-machines/in_process.hpp"
#include "chapters/21-several-machines/machine_costs.hpp"
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

std::vector<std::pair<Held, std::vector<real>*>> held(Trained& trained) {
  return {
      {Held::weights, &trained.weights}, {Held::first_moment, &trained.first}, {Held::second_moment, &trained.second}};
}

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
      trainer.deal(Held::weights, weights, 0);
    } else {
      const LlamaParameters room(tiny());
      for (const auto& [what, numbers] : held(trained)) {
        std::ranges::copy(*numbers, room.flat().begin());
        trainer.deal(what, room, steps.begin);
      }
    }
    do_steps(trainer, steps, trained);
    CHECK(trainer.optimiser().steps() == steps.end);
    const LlamaParameters room(tiny());
    for (const auto& [what, numbers] : held(trained)) {
      trainer.gather(what, room);
      numbers->assign(room.flat().begin(), room.flat().end());
    }
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
