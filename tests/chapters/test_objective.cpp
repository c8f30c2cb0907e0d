// Objectives, and what is trained: any loss of log p, pairs that stay together, and weights that stay as they are.
#include "chapters/10-training-step/objective.hpp"

#include <cmath>
#include <mutex>
#include <set>

#include "chapters/10-training-step/trainer.hpp"
#include "lib/tensor/tensor.hpp"
#include "tests/chapters/random_batch.hpp"
#include "tests/chapters/tiny_llama.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

/// For pairs of sequences: log(1 + exp(-(log p of the first - log p of the second))).
double prefer_first(const RatedTargets& rated) {
  double loss = 0;
  for (size_t b = 0; b < rated.log_p.shape(0); b += 2) {
    const double margin = double(total(rated.log_p[b])) - double(total(rated.log_p[b + 1]));
    loss += std::log1p(std::exp(-margin));
    const real slope = real(-1 / (1 + std::exp(margin)));
    noalias(rated.d_log_p[b]) = slope;
    noalias(rated.d_log_p[b + 1]) = -slope;
  }
  return loss;
}

}  // namespace

TEST_CASE("the rows of cross entropy's gradient are scaled each by its own factor, and log p is less the loss") {
  const Array<real, 2> logits = random_array<2>({3, 5}, 1);
  const Array<std::int32_t, 1> targets = {4, no_target, 0};
  Array<real, 1> log_sum_exp = zeros<real, 1>({3}), log_p = zeros<real, 1>({3});
  const double loss = cross_entropy_forward(view(logits), view(targets), view(log_sum_exp));
  target_log_p(view(logits), view(targets), view(log_sum_exp), view(log_p));
  CHECK(-(double(log_p(0)) + log_p(2)) == loss);
  CHECK(log_p(1) == 0);

  Array<real, 2> by_row = zeros<real, 2>({3, 5});
  const Array<real, 1> factors = {real(-0.5), 9, 2};
  cross_entropy_backward(view(logits), view(targets), view(log_sum_exp), view(factors), view(by_row));
  for (size_t n = 0; n < 3; ++n) {
    Array<real, 2> alike = zeros<real, 2>({3, 5});
    cross_entropy_backward(view(logits), view(targets), view(log_sum_exp), -factors(n), view(alike));
    CHECK(difference(view(by_row)[n], view(alike)[n], 0) == "");
  }
  CHECK(total(view(by_row)[1] * view(by_row)[1]) == 0);
}

TEST_CASE("cross entropy is an objective like any other: a step with one written by hand has the same bits") {
  const LlamaParameters usual(tiny()), by_hand(tiny());
  randomise(usual, 1), randomise(by_hand, 1);
  ThreadPool pool(2);
  const TrainerOptions options{.batch = 5, .positions = 8, .micro_batch = 2, .lanes = 2};
  Trainer first(usual, options, pool), second(by_hand, options, pool);
  const TokenBatch batch = random_batch(5, 8, 1);
  const double targets = double(count_targets(batch));
  const StepResult expected = first.step(batch, 0.01);
  const StepResult result = second.step(batch, 0.01, [&](const RatedTargets& rated) {
    noalias(rated.d_log_p) = real(-1 / targets);
    double sum = 0;
    for (const real log_p : rated.log_p.span()) sum -= log_p;
    return sum;
  });
  CHECK(result.loss / targets == expected.loss);
  CHECK(result.gradient_norm == expected.gradient_norm);
  CHECK(difference(by_hand.flat(), usual.flat(), 0) == "");
  CHECK(second.evaluate(batch, cross_entropy(1)) == first.evaluate(batch));
}

TEST_CASE("sequences that belong together meet in one micro-batch, and all of them once") {
  const LlamaParameters weights(tiny());
  randomise(weights, 1);
  ThreadPool pool(2);
  Trainer trainer(weights, {.batch = 10, .positions = 6, .micro_batch = 4, .lanes = 3, .together = 2}, pool);
  std::mutex mutex;
  std::multiset<size_t> seen;
  const auto look = [&](const RatedTargets& rated) {
    const std::lock_guard lock(mutex);
    const size_t sequences = rated.batch.tokens.shape(0);
    CHECK((rated.batch.first % 2 == 0 && sequences % 2 == 0 && sequences <= 4));
    for (size_t b = 0; b < sequences; ++b) seen.insert(rated.batch.first + b);
    return 0.0;
  };
  const TokenBatch batch = random_batch(10, 6, 1);
  trainer.step(batch, 0.01, look);
  CHECK(seen == std::multiset<size_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  CHECK_THROWS_AS(trainer.step(random_batch(3, 6, 1), 0.01, look), ContractError);
  CHECK_THROWS_AS(Trainer(weights, {.micro_batch = 3, .together = 2}, pool), ContractError);
}

TEST_CASE("a preference between pairs is learned") {
  const LlamaParameters weights(tiny());
  randomise(weights, 1);
  ThreadPool pool(2);
  Trainer trainer(weights, {.batch = 4, .positions = 6, .micro_batch = 2, .lanes = 2, .together = 2}, pool);
  const TokenBatch batch = random_batch(4, 6, 1);
  const double before = trainer.evaluate(batch, prefer_first);
  for (size_t step = 0; step < 20; ++step) trainer.step(batch, 0.01, prefer_first);
  CHECK(trainer.evaluate(batch, prefer_first) < 1e-4 * before);  // measured: a millionth of it
}

TEST_CASE("what is frozen has no gradient, and the gradients of the rest have the bits that they have without it") {
  const LlamaParameters weights(tiny()), all(tiny()), some(tiny());
  randomise(weights, 1);
  const TokenBatch batch = random_batch(2, 7, 1);
  LossEvaluator evaluator(tiny(), 2, 7, true);
  evaluator.forward_backward(weights, batch, 1, all);
  LlamaTensors<real> learning = some.tensors();
  learning.embedding = learning.head = {};
  learning.norm = {};
  learning.layers[0] = {};
  learning.layers[1].query = learning.layers[1].up = {};
  learning.layers[1].attention_norm = {};
  evaluator.forward_backward(weights, batch, 1, learning);
  std::vector<std::span<const real>> expected;
  all.for_each([&](const std::string&, const auto& tensor) { expected.push_back(tensor.span()); });
  size_t i = 0, learned = 0;
  some.for_each([&](const std::string& name, const auto& tensor) {
    CAPTURE(name);
    const bool learns = name.starts_with("model.layers.1.") && name.find("q_proj") == name.npos &&
                        name.find("up_proj") == name.npos && name.find("input_layernorm") == name.npos;
    learned += learns;
    const std::vector<real> none(tensor.size());
    CHECK(difference(tensor.span(), learns ? expected[i] : std::span<const real>(none), 0) == "");
    ++i;
  });
  CHECK(learned == 6);
}

TEST_CASE("a trainer of a part of the parameters changes these and has moments for no others") {
  const LlamaParameters weights(tiny());
  randomise(weights, 1);
  const std::vector<real> before(weights.flat().begin(), weights.flat().end());
  ParameterSet head({{"lm_head.weight", Shape<2>{19, 11}}});
  std::ranges::copy(weights.tensors().head.span(), head.flat().begin());
  const Trainable only_head(head, [&](const ParameterSet& gradients) {
    LaneModel lane{weights, {}};
    lane.weights.tensors.head = Weight(View<const real, 2>(head.flat(), {19, 11}));
    lane.gradients.layers.resize(2);
    lane.gradients.head = View<real, 2>(gradients.flat(), {19, 11});
    return lane;
  });
  ThreadPool pool(2);
  Trainer trainer(tiny(), only_head, {.batch = 4, .positions = 6}, pool);
  const TokenBatch batch = random_batch(4, 6, 1);
  const double loss = trainer.evaluate(batch);
  for (size_t step = 0; step < 10; ++step) trainer.step(batch, 0.02);
  CHECK(trainer.evaluate(batch) < 0.75 * loss);  // measured: 0.63
  CHECK(difference(weights.flat(), before, 0) == "");
  CHECK(trainer.optimiser().first_moment().flat().size() == 19 * 11);
}

#ifdef CRIA_DOUBLE
// With a step of 1e-4, below 5e-11. With 1e-3 it is 1.2e-7, as the first norm divides by embeddings of about 0.05.
TEST_CASE("an objective's gradient agrees with finite differences to 1e-8") {
  const LlamaParameters weights(tiny()), gradients(tiny());
  randomise(weights, 2);
  const TokenBatch batch = random_batch(4, 6, 3);
  LossEvaluator evaluator(tiny(), 4, 6, true);
  evaluator.forward_backward(weights, batch, prefer_first, gradients);
  CHECK(gradient_error(
            weights.flat(), gradients.flat(), [&] { return evaluator.forward(weights, batch, prefer_first); }, 300,
            1e-4) < 1e-8);
}
#endif
