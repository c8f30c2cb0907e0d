// The training step: ten steps of PyTorch's, the same bits at any number of threads, splits, and what ends a run.
#include "chapters/10-training-step/trainer.hpp"

#include "tests/allocations.hpp"
#include "tests/chapters/random_batch.hpp"
#include "tests/chapters/tiny_llama.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

using Ids = std::vector<std::int32_t>;

}  // namespace

TEST_CASE("what an evaluator allocates is known before") {
  for (const bool for_gradients : {false, true}) {
    const LossEvaluator evaluator(tiny(), 3, 7, for_gradients);
    CHECK(LossEvaluator::bytes(tiny(), 3, 7, for_gradients) == evaluator.bytes());
  }
}

TEST_CASE("ten training steps agree with PyTorch: losses, gradient norms and weights") {
  const LlamaParameters weights(tiny());
  std::ranges::copy(golden_real<1>("10-training-step/parameters.npy"), weights.flat().begin());
  const Array<std::int32_t, 3> batches = xt::cast<std::int32_t>(golden<3>("10-training-step/batches.npy"));
  const Array<double, 1> losses = golden<1>("10-training-step/losses.npy"),
                         norms = golden<1>("10-training-step/gradient_norms.npy");
  ThreadPool pool(2);
  const size_t lanes = GENERATE(1, 3, 4);
  Trainer trainer(weights, {.batch = 4, .positions = 9, .micro_batch = 2, .lanes = lanes, .clip_norm = 1}, pool);
  const Schedule schedule{.peak = 0.02, .floor = 0.002, .warmup = 3, .total = 10};
  // Rounding grows with the steps. Measured over the three x86 targets, float and double, at most: losses 6 epsilon,
  // norms 81, weights 18.8.
  for (size_t step = 0; step < 10; ++step) {
    CAPTURE(step);
    const Ids ids(batches.data() + step * 36, batches.data() + (step + 1) * 36);
    const StepResult result = trainer.step(TokenBatch(ids, 4), learning_rate(schedule, double(step + 1)));
    CHECK(difference(result.loss / losses(step), 1, 18 * epsilon) == "");
    CHECK(difference(result.gradient_norm / norms(step), 1, 250 * epsilon) == "");
  }
  const Array<double, 1> trained = golden<1>("10-training-step/trained_parameters.npy");
  CHECK(relative_error(View<real, 1>(weights.flat().data(), {trained.size()}), trained) < 60 * epsilon);
}

TEST_CASE("the loss and the weights have the same bits at 1, 2 and 4 threads") {
  std::vector<real> first;
  std::vector<double> first_losses;
  for (const size_t threads : {1, 2, 4}) {
    const LlamaParameters weights(tiny());
    randomise(weights, 1);
    ThreadPool pool(threads);
    Trainer trainer(weights, {.batch = 7, .positions = 12, .micro_batch = 1, .lanes = 4}, pool);
    std::vector<double> losses;
    for (std::uint64_t step = 0; step < 5; ++step) losses.push_back(trainer.step(random_batch(7, 12, step), 0.01).loss);
    if (first.empty()) first.assign(weights.flat().begin(), weights.flat().end()), first_losses = losses;
    CHECK(losses == first_losses);
    CHECK(difference(weights.flat(), first, 0) == "");
  }
}

TEST_CASE("how a batch is split into lanes and micro-batches changes the result by rounding only") {
  std::vector<real> first;
  for (const auto& [lanes, micro_batch] : {std::pair<size_t, size_t>{1, 6}, {1, 1}, {2, 3}, {3, 1}, {6, 4}}) {
    const LlamaParameters weights(tiny());
    randomise(weights, 1);
    ThreadPool pool(2);
    Trainer trainer(weights, {.batch = 6, .positions = 12, .micro_batch = micro_batch, .lanes = lanes}, pool);
    // Sequences with 11, 9, … 1 targets: each target counts the same, wherever it stands.
    TokenBatch batch = random_batch(6, 12, 1);
    for (size_t n = 0; n < batch.targets.size(); ++n)
      if (n % batch.T + 1 + 2 * (n / batch.T) >= batch.T) batch.targets[n] = no_target;
    trainer.step(batch, 1e-3);
    if (first.empty()) first.assign(weights.flat().begin(), weights.flat().end());
    CAPTURE(lanes, micro_batch);
    // Measured over the three x86 targets, float and double: at most 1 epsilon.
    CHECK(difference(weights.flat(), first, 3 * epsilon) == "");
  }
}

TEST_CASE("a loss that is not finite leaves the weights as they were") {
  const LlamaParameters weights(tiny());
  randomise(weights, 1);
  weights.tensors().norm(0) = std::numeric_limits<real>::infinity();
  const std::vector<real> before(weights.flat().begin(), weights.flat().end());
  ThreadPool pool(1);
  Trainer trainer(weights, {.batch = 2, .positions = 4}, pool);
  const double loss = trainer.step(random_batch(2, 4, 1), 0.1).loss;
  CAPTURE(loss);
  CHECK_FALSE(std::isfinite(loss));
  CHECK(difference(weights.flat(), before, 0) == "");
}

TEST_CASE("a training step allocates nothing after the first") {
  const LlamaParameters weights(tiny());
  randomise(weights, 1);
  ThreadPool pool(1);
  Trainer trainer(weights, {.batch = 4, .positions = 8}, pool);
  const TokenBatch batch = random_batch(4, 8, 1);
  trainer.step(batch, 0.01);
  const size_t before = allocations();
  trainer.step(batch, 0.01);
  CHECK(allocations() == before);
}
