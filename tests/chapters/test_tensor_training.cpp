// Tensor parallel training, against one process: losses, norms, weights and moments; bytes against what was predicted.
#include "chapters/21-several-machines/divided_costs.hpp"
#include "chapters/21-several-machines/in_process.hpp"
#include "chapters/21-several-machines/tensor_parallel.hpp"
#include "tests/chapters/llama_problem.hpp"
#include "tests/chapters/random_batch.hpp"
#include "tests/chapters/tiny_llama.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

TrainerOptions sharded_options() {
  TrainerOptions o;
  o.batch = 6, o.positions = 9, o.micro_batch = 2, o.lanes = 2;
  o.clip_norm = 0.25;  // below each norm here, so that all steps are clipped
  o.adamw.eps = 1e-3;  // else a step is as long where a gradient is nothing but rounding
  return o;
}

struct ShardedRun {
  std::vector<double> losses, norms;
  double held_out = 0;
  std::vector<real> weights, first, second;

  void steps(Trainer& trainer, size_t count) {
    for (size_t step = 0; step < count; ++step) {
      const StepResult result = trainer.step(random_batch(6, 9, step), 0.01);
      losses.push_back(result.loss), norms.push_back(result.gradient_norm);
    }
    held_out = trainer.evaluate(random_batch(3, 9, 100));
  }
  void keep(const ParameterSet& model, const AdamW& whole) {
    const auto copy = [](std::span<const real> from) { return std::vector<real>(from.begin(), from.end()); };
    weights = copy(model.flat()), first = copy(whole.first_moment().flat()),
    second = copy(whole.second_moment().flat());
  }
};

constexpr size_t steps_trained = 3;

ShardedRun in_one(const LlamaConfig& config) {
  const LlamaParameters weights = random_model(config, 3);
  ThreadPool pool(1);
  Trainer trainer(weights, sharded_options(), pool);
  ShardedRun run;
  run.steps(trainer, steps_trained);
  run.keep(weights, trainer.optimiser());
  return run;
}

ShardedRun in_parts(size_t ranks, const LlamaConfig& config) {
  ShardedRun run;
  run_ranks(ranks, [&](Communicator& here) {
    const bool leads = here.rank() == 0;
    TensorParallel peers(here, config);
    const LlamaParameters part(peers.config());
    ThreadPool pool(1);
    Trainer trainer(part.config(), tensor_trainable(part, peers), sharded_options(), pool, &peers);
    if (leads) {
      trainer.deal(Held::weights, random_model(config, 3), 0);
      run.steps(trainer, steps_trained);
      const ParameterSet weights(trainer.whole_layout());
      const AdamW moments(weights, {});
      trainer.gather(Held::weights, weights);
      trainer.gather(Held::first_moment, moments.first_moment());
      trainer.gather(Held::second_moment, moments.second_moment());
      peers.begin({});
      run.keep(weights, moments);
    } else {
      follow(trainer, peers);
    }
  });
  return run;
}

RelativeError off(const std::vector<real>& is, const std::vector<real>& expected) {
  return relative_error(View<const real, 1>(is.data(), {is.size()}),
                        View<const real, 1>(expected.data(), {expected.size()}));
}

}  // namespace

TEST_CASE("tensor parallel ranks train what one process does: losses, norms, weights and moments") {
  for (const LlamaConfig& config : {untied(), tied()}) {
    const ShardedRun expected = in_one(config);
    for (const double norm : expected.norms) CHECK(norm > sharded_options().clip_norm);
    for (const size_t ranks : {1, 2, 3, config.kv_heads == 1 ? 4 : 6}) {
      CAPTURE(config.tied_embeddings, ranks);
      const ShardedRun run = in_parts(ranks, config);
      const double tolerance = 30 * epsilon;
      for (size_t i = 0; i < steps_trained; ++i) {
        CHECK(std::abs(run.losses[i] / expected.losses[i] - 1) < tolerance);
        CHECK(std::abs(run.norms[i] / expected.norms[i] - 1) < tolerance);
      }
      CHECK(std::abs(run.held_out / expected.held_out - 1) < tolerance);
      CHECK(off(run.weights, expected.weights) < tolerance);
      CHECK(off(run.first, expected.first) < tolerance);
      CHECK(off(run.second, expected.second) < tolerance);
    }
  }
}

TEST_CASE("a tensor parallel step sends what was predicted, byte for byte") {
  for (const LlamaConfig& config : {untied(), tied()})
    for (const size_t ranks : {1, 2, 3, config.kv_heads == 1 ? 4 : 6}) {
      CAPTURE(config.tied_embeddings, ranks);
      TrainerOptions o = sharded_options();
      o.batch = 5;  // lanes of two and of three sequences, and so micro-batches of one and of two
      std::vector<std::uint64_t> sent(ranks);
      run_ranks(ranks, [&](Communicator& here) {
        TensorParallel peers(here, config);
        const LlamaParameters part(peers.config());
        ThreadPool pool(1);
        Trainer trainer(part.config(), tensor_trainable(part, peers), o, pool, &peers);
        const TokenBatch tokens = random_batch(o.batch, o.positions, 1);
        const Task task = here.rank() > 0 ? peers.next() : Task();
        trainer.step(here.rank() > 0 ? task.batch : Batch(tokens), 0.01);
        sent[here.rank()] = here.bytes_sent();
      });
      for (size_t rank = 0; rank < ranks; ++rank) CHECK(sent[rank] == tensor_step(config, o, ranks, rank, false).bytes);
    }
}

TEST_CASE("a pool that would run two lanes at once, which both wait for the other ranks, is refused") {
  run_ranks(1, [](Communicator& here) {
    TensorParallel peers(here, tied());
    const LlamaParameters part(peers.config());
    ThreadPool one(1), two(2);
    TrainerOptions o = sharded_options();
    const auto make = [&](ThreadPool& pool) { Trainer(part.config(), tensor_trainable(part, peers), o, pool, &peers); };
    CHECK_NOTHROW(make(one));
    CHECK_THROWS_AS(make(two), ContractError);
    o.lanes = 1;
    CHECK_NOTHROW(make(two));
  });
}
