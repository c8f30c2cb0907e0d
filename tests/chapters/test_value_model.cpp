// Chapter 16, a Llama with a value for each position: PyTorch's numbers, differences, and what it shares with its base.
#include "chapters/16-reward-model/value_model.hpp"

#include <cmath>

#include "chapters/10-training-step/trainer.hpp"
#include "chapters/16-reward-model/value_evaluator.hpp"
#include "lib/tensor/tensor.hpp"
#include "tests/chapters/random_batch.hpp"
#include "tests/chapters/value_golden.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

/// Half the squared distance of each value from its target, which is its token: what a critic learns.
double token_value(const RatedTargets& rated) {
  double loss = 0;
  for (size_t b = 0; b < rated.values.shape(0); ++b)
    for (size_t t = 0; t < rated.values.shape(1); ++t) {
      const double error = double(rated.values(b, t)) - rated.batch.tokens(b, t) / 4.0;
      loss += error * error / 2;
      rated.d_values(b, t) = real(error);
    }
  return loss;
}

LlamaParameters random_base(bool tied) {
  LlamaConfig config = tiny();
  config.tied_embeddings = tied;
  LlamaParameters base(config);
  randomise(base, 7);
  return base;
}

ValueModel random_model(std::uint64_t seed) {
  ValueModel model(random_base(false));
  Random random(seed);
  initialise_head(model, random);
  model.bias() = real(0.5);
  return model;
}

TokenBatch golden_tokens() {
  const Array<double, 2> tokens = golden<2>("16-reward-model/tokens.npy");
  return {std::vector<std::int32_t>(tokens.begin(), tokens.end()), tokens.shape(0)};
}

}  // namespace

TEST_CASE("values, and the gradient of any loss of them, are PyTorch's") {
  const ValueModel model = golden_value_model();
  const TokenBatch batch = golden_tokens();
  ValueEvaluator evaluator(model.config(), 6, 9, true);
  // As for logits and cross entropy (tests of chapter 08).
  CHECK(relative_error(evaluator.forward(model.weights(), batch), golden<2>("16-reward-model/values.npy")) <
        50 * epsilon);
  const Array<real, 2> d_values = golden_real<2>("16-reward-model/d_values.npy");
  const ParameterSet gradients(model.layout());
  const LaneModel lane = model.trainable().lane(gradients);
  evaluator.forward_backward(
      lane.weights, batch,
      [&](const RatedTargets& rated) {
        noalias(rated.d_values) = view(d_values);
        return 0.0;
      },
      lane.gradients);
  CHECK(relative_error(row(gradients.flat()), golden<1>("16-reward-model/d_parameters.npy")) < 50 * epsilon);
}

TEST_CASE("a value model has its base's body, whatever head that had, and its value is the head's row plus the bias") {
  for (const bool tied : {false, true}) {
    const LlamaParameters base = random_base(tied);
    ValueModel model(base);
    Random random(1);
    initialise_head(model, random);
    CHECK(model.bias() == 0);
    model.bias() = 3;
    CHECK(model.flat().size() == count_parameters(tiny()).total() - count_parameters(tiny()).head + 11 + 1);
    const TokenBatch batch = random_batch(2, 7, 5);
    LossEvaluator language(base.config(), 2, 7, false);
    language.forward(base, batch);
    ValueEvaluator evaluator(model.config(), 2, 7, false);
    const View<const real, 2> values = evaluator.forward(model.weights(), batch);
    for (size_t n = 0; n < 14; ++n) {
      const real expected = dot(language.activations().normed[n], model.head()[0]) + 3;
      CHECK(std::abs(values(n / 7, n % 7) - expected) < 20 * epsilon);
    }
  }
}

TEST_CASE("a value depends on its own token and on those before it, and on none behind it") {
  const ValueModel model = random_model(1);
  ValueEvaluator evaluator(model.config(), 1, 8, false);
  TokenBatch batch = random_batch(1, 8, 3);
  const Array<real, 2> before = evaluator.forward(model.weights(), batch);
  batch.tokens[5] = (batch.tokens[5] + 1) % 19;
  const View<const real, 2> after = evaluator.forward(model.weights(), batch);
  for (size_t t = 0; t < 8; ++t) CHECK((before(0, t) == after(0, t)) == (t < 5));
}

TEST_CASE("the head is drawn with the variance 1 / (C + 1), so values are about as large as 1") {
  LlamaConfig wide = tiny();
  wide.dim = 4000, wide.layers = 1, wide.heads = wide.kv_heads = 1, wide.hidden_dim = 1;
  ValueModel model(wide);
  model.bias() = 2;
  Random random(1);
  initialise_head(model, random);
  double squares = 0, sum = 0;
  for (const real weight : model.head().span()) squares += double(weight) * weight, sum += weight;
  // Of 4000 squares of normal numbers the mean has a deviation of √(2 / 4000) = 2.2 %, of 4000 such weights the sum one
  // of 1.
  CHECK(std::abs(squares * 4001 / 4000 - 1) < 0.07);
  CHECK(std::abs(sum) < 3);
  CHECK(model.bias() == 0);
}

TEST_CASE("a trainer of a value model has the same bits on any number of threads, and learns values everywhere") {
  std::vector<real> first;
  for (const size_t threads : {1, 2}) {
    const ValueModel model = random_model(2);
    ThreadPool pool(threads);
    Trainer trainer(model.config(), model.trainable(), {.batch = 5, .positions = 6, .micro_batch = 2, .lanes = 2},
                    pool);
    const TokenBatch batch = random_batch(5, 6, 1);
    const double before = trainer.evaluate(batch, token_value);
    for (int step = 0; step < 200; ++step) trainer.step(batch, 0.01, token_value);
    CHECK(trainer.evaluate(batch, token_value) < 0.01 * before);
    CHECK(model.bias() != real(0.5));
    const std::vector<real> now(model.flat().begin(), model.flat().end());
    if (first.empty()) first = now;
    CHECK(difference(now, first, 0) == "");
  }
}

TEST_CASE("values of a whole batch are kept, however it is divided") {
  const ValueModel model = random_model(3);
  const TokenBatch batch = random_batch(5, 6, 1);
  ValueEvaluator evaluator(model.config(), 5, 6, false);
  const Array<real, 2> expected = evaluator.forward(model.weights(), batch);
  ThreadPool pool(2);
  Trainer trainer(model.config(), model.trainable(), {.batch = 5, .positions = 6, .micro_batch = 2, .lanes = 2}, pool);
  Array<real, 2> values = unwritten<2>({5, 6});
  CHECK(trainer.evaluate(batch, keep_values(view(values))) == 0);
  CHECK(relative_error(values, expected) < 10 * epsilon);
  const Array<real, 2> small = zeros<real, 2>({4, 6});
  CHECK_THROWS_AS(trainer.evaluate(batch, keep_values(View<real, 2>(const_cast<real*>(small.data()), {4, 6}))),
                  ContractError);
}

TEST_CASE("what belongs to a language model is refused for a value model, and the other way round") {
  const ValueModel model = random_model(4);
  const LlamaParameters base = random_base(false);
  const TokenBatch batch = random_batch(2, 6, 1);
  ThreadPool pool(1);
  Trainer trainer(model.config(), model.trainable(), {.batch = 2, .positions = 6}, pool);
  CHECK_THROWS_AS(trainer.step(batch, 0.1), ContractError);
  ValueEvaluator evaluator(model.config(), 2, 6, false);
  CHECK_THROWS_AS(evaluator.forward(base, batch), ContractError);
  const ParameterSet gradients(model.layout());
  CHECK_THROWS_AS(
      evaluator.forward_backward(model.weights(), batch, token_value, tensors_in(model.config(), gradients)),
      ContractError);
}

#ifdef CRIA_DOUBLE
TEST_CASE("the gradient of values agrees with finite differences to 1e-8") {
  const ValueModel model = random_model(5);
  const ParameterSet gradients(model.layout());
  const LaneModel lane = model.trainable().lane(gradients);
  const TokenBatch batch = random_batch(4, 6, 3);
  ValueEvaluator evaluator(model.config(), 4, 6, true);
  evaluator.forward_backward(lane.weights, batch, token_value, lane.gradients);
  CHECK(gradient_error(
            model.flat(), gradients.flat(), [&] { return evaluator.forward(model.weights(), batch, token_value); }, 300,
            1e-4) < 1e-8);
}
#endif
