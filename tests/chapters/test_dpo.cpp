// Chapter 19, from pairs to a model's gradient, through chapter 10's trainer.
#include <cmath>

#include "chapters/10-training-step/trainer.hpp"
#include "chapters/19-dpo/dpo.hpp"
#include "tests/chapters/tiny_llama.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

constexpr size_t positions = 9;

/// The golden's pairs: requests of 4 tokens.
std::vector<PreferencePair> golden_pairs() {
  const Array<double, 2> tokens = golden<2>("19-dpo/tokens.npy");
  const Array<double, 1> lengths = golden<1>("19-dpo/lengths.npy");
  std::vector<PreferencePair> pairs(lengths.size() / 2);
  for (size_t i = 0; i < pairs.size(); ++i)
    for (size_t t = 0; t < tokens.shape(1); ++t) {
      const auto token = [&](size_t b) { return static_cast<std::int32_t>(tokens(b, t)); };
      if (t < 4) pairs[i].prompt.push_back(token(2 * i));
      if (t >= 4 && double(t) < 4 + lengths(2 * i)) pairs[i].chosen.push_back(token(2 * i));
      if (t >= 4 && double(t) < 4 + lengths(2 * i + 1)) pairs[i].rejected.push_back(token(2 * i + 1));
    }
  return pairs;
}

LlamaParameters golden_model() {
  LlamaParameters weights(tiny());
  const Array<real, 1> flat = golden_real<1>("19-dpo/parameters.npy");
  REQUIRE(flat.size() == weights.flat().size());
  std::ranges::copy(flat, weights.flat().begin());
  return weights;
}

std::vector<double> sums_of(const LlamaParameters& weights, const PairBatch& pairs) {
  LossEvaluator evaluator(weights.config(), 2 * pairs.pairs(), positions, false);
  evaluator.forward(weights, pairs.batch());
  return summed_log_p(evaluator.log_p(), pairs.batch().targets);
}

template <class T>
View<const T, 1> row(std::span<T> numbers) {
  return {numbers.data(), {numbers.size()}};
}

TrainerOptions in_pairs(size_t batch, size_t micro_batch, size_t lanes) {
  TrainerOptions options;
  options.batch = batch, options.positions = positions, options.micro_batch = micro_batch, options.lanes = lanes;
  options.together = 2;
  return options;
}

}  // namespace

TEST_CASE("sums, loss and gradient of a model over pairs are PyTorch's") {
  const LlamaParameters weights = golden_model(), gradients(tiny());
  const std::vector<PreferencePair> all = golden_pairs();
  const PairBatch pairs(all, positions);
  const Array<double, 1> expected = golden<1>("19-dpo/sums.npy");
  // Of up to five logarithms in `real`; measured over the three x86 targets: 1.3 eps of the largest.
  std::vector<double> sums = sums_of(weights, pairs);
  CHECK(relative_error(row(std::span(sums)), expected) < 4 * epsilon);
  const Array<double, 1> reference = golden<1>("19-dpo/model_reference.npy");
  const auto check = [&](const PreferenceOptions& options, const std::string& name) {
    CAPTURE(name);
    const Objective objective = preference_objective({reference.begin(), reference.end()}, options);
    LossEvaluator evaluator(tiny(), 6, positions, true);
    const double loss = evaluator.forward_backward(weights, pairs.batch(), objective, gradients.tensors());
    CHECK(difference(loss, golden<1>("19-dpo/" + name + "_loss.npy")(0), 3 * epsilon) == "");
    // As for cross entropy (tests of chapter 08); measured: 18 eps.
    CHECK(relative_error(row(gradients.flat()), golden<1>("19-dpo/" + name + "_d_parameters.npy")) < 50 * epsilon);
    std::ranges::fill(gradients.flat(), real(0));
  };
  check({}, "model");
  check({.nll_weight = 0.2}, "model_nll");
}

TEST_CASE("the first step's loss is log 2, its margins 0, and requests and padding get no gradient") {
  const LlamaParameters weights = golden_model();
  const std::vector<PreferencePair> all = golden_pairs();
  const PairBatch pairs(all, positions);
  const std::vector<double> reference = sums_of(weights, pairs);
  const PreferenceFigures figures = preference_figures(reference, reference, all, {});
  CHECK(std::abs(figures.loss - std::log(2.)) < 1e-15);
  CHECK(figures.margin() == 0);
  CHECK(figures.accuracy == 0);
  const Batch batch = pairs.batch();
  for (size_t b = 0; b < 6; ++b)
    for (size_t t = 0; t < positions; ++t) {
      const std::vector<std::int32_t>& answer = b % 2 ? all[b / 2].rejected : all[b / 2].chosen;
      const bool counts = t >= 3 && t < 3 + answer.size();
      CHECK(batch.targets(b, t) == (counts ? answer[t - 3] : no_target));
      if (t < 4) CHECK(batch.tokens(b, t) == all[b / 2].prompt[t]);
    }
}

TEST_CASE("however a batch of pairs is divided, the step is the same, and the margin grows") {
  const std::vector<PreferencePair> all = golden_pairs();
  const PairBatch pairs(all, positions);
  std::vector<real> first;
  double norm = 0;
  for (const size_t micro_batch : {2, 6})
    for (const size_t lanes : {1, 3})
      for (const size_t threads : {1, 2}) {
        CAPTURE(micro_batch, lanes, threads);
        const LlamaParameters weights = golden_model();
        const std::vector<double> reference = sums_of(weights, pairs);
        const Objective objective = preference_objective(reference, {});
        ThreadPool pool(threads);
        Trainer trainer(weights, in_pairs(6, micro_batch, lanes), pool);
        // Sums of a forward pass of its own; those of the reference had another batch.
        const StepResult step = trainer.step(pairs.batch(), 0.01, objective);
        CHECK(std::abs(step.loss - std::log(2.)) < 1e-5);
        std::vector<real> now(weights.flat().begin(), weights.flat().end());
        if (first.empty()) first = now, norm = step.gradient_norm;
        CHECK(std::abs(step.gradient_norm / norm - 1) < 1e-5);
        CHECK(relative_error(row(std::span(now)), row(std::span(first))) < 1e-3);
        for (int i = 0; i < 20; ++i) trainer.step(pairs.batch(), 0.01, objective);
        const PreferenceFigures figures = preference_figures(sums_of(weights, pairs), reference, all, {});
        CHECK(figures.margin() > 5);
        CHECK(figures.accuracy == 1);
        CHECK(figures.loss < 0.6);
      }
}

TEST_CASE("the figures of pairs are means over them") {
  const std::vector<double> policy = {-1, -5, -3, -2}, reference = {-2, -4, -3, -4};
  const std::vector<PreferencePair> pairs = {{{7}, {1, 2}, {3}}, {{7}, {1}, {2}}};
  const PreferenceFigures figures = preference_figures(policy, reference, pairs, {PreferenceLoss::ipo, 0.5, 0});
  // Margins 1 - -1 = 2 and 0 - 2 = -2, of which ipo wants 1.
  CHECK(figures.loss == (1. + 9.) / 2);
  CHECK(figures.accuracy == 0.5);
  CHECK(figures.chosen == 0.5);
  CHECK(figures.rejected == 0.5);
  // With the chosen answers' losses per token, 1 / 2 and 3 / 1.
  CHECK(preference_figures(policy, reference, pairs, {PreferenceLoss::ipo, 0.5, 0, 0.5}).loss == 5 + 0.5 * 1.75);
}

TEST_CASE("pairs that nothing can be learned from are refused, counted") {
  const auto refused = [](PreferencePair pair, const char* words) {
    const std::vector<PreferencePair> pairs = {{{1}, {2}, {3}}, std::move(pair)};
    CHECK_THROWS_WITH(PairBatch(pairs, 4, 10), contains(words));
  };
  refused({{}, {2}, {3}}, "pair 11: the request has no tokens, expected at least one");
  refused({{1}, {}, {3}}, "pair 11: the chosen answer has no tokens, expected at least one");
  refused({{1}, {2}, {}}, "pair 11: the rejected answer has no tokens");
  refused({{1}, {2, 3}, {2, 3}}, "pair 11: both answers are the same");
  refused({{1, 2, 3}, {2}, {1, 2, 3}}, "pair 11: with the rejected answer it has 6 tokens, expected at most 5");
}

TEST_CASE("an objective that does not fit its batch is refused") {
  const LlamaParameters weights = golden_model();
  const std::vector<PreferencePair> all = golden_pairs();
  const PairBatch pairs(all, positions);
  LossEvaluator evaluator(tiny(), 6, positions, false);
  CHECK_THROWS_AS(preference_objective({1, 2, 3}, {}), ContractError);
  CHECK_THROWS_AS(evaluator.forward(weights, pairs.batch(), preference_objective({1, 2}, {})), ContractError);
  CHECK_THROWS_AS(
      evaluator.forward(weights, part_of(pairs.batch(), 1, 3), preference_objective(std::vector<double>(6), {})),
      ContractError);
}
