// Chapter 18, from answers to a model's gradient, through chapter 10's trainer.
#include <cmath>

#include "chapters/10-training-step/trainer.hpp"
#include "chapters/18-ppo/policy_objective.hpp"
#include "chapters/18-ppo/rollouts.hpp"
#include "chapters/18-ppo/token_weights.hpp"
#include "tests/chapters/tiny_llama.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

constexpr size_t positions = 9;

/// The golden's: prompts of 3, 3, 1 and 5 tokens, answers of 6, 2, 9 and 1.
std::vector<Rollout> golden_rollouts() {
  const Array<double, 2> tokens = golden<2>("18-ppo/tokens.npy"), bounds = golden<2>("18-ppo/answers.npy");
  std::vector<Rollout> rollouts(bounds.shape(0));
  for (size_t b = 0; b < rollouts.size(); ++b)
    for (size_t t = 0; double(t) <= bounds(b, 1); ++t)
      (double(t) <= bounds(b, 0) ? rollouts[b].prompt : rollouts[b].answer).push_back(std::int32_t(tokens(b, t)));
  return rollouts;
}

LlamaParameters golden_model() {
  LlamaParameters weights(tiny());
  const Array<real, 1> flat = golden_real<1>("18-ppo/parameters.npy");
  REQUIRE(flat.size() == weights.flat().size());
  std::ranges::copy(flat, weights.flat().begin());
  return weights;
}

/// What the golden's objective is made of.
struct GoldenTargets {
  Array<real, 2> old = golden_real<2>("18-ppo/model_old.npy");
  Array<real, 2> reference = golden_real<2>("18-ppo/model_reference.npy");
  Array<double, 2> advantages = golden<2>("18-ppo/advantages.npy");
  std::vector<double> weights;
  PolicyLossOptions options;

  GoldenTargets(const RolloutBatch& batch, TokenWeight weight) : weights(token_weights(batch.answers(), weight, 12)) {
    options.kl_coefficient = 0.04;
  }
  PolicyTargets targets() const { return {view(old), view(reference), view(advantages), weights}; }
};

template <class T>
View<const T, 1> row(std::span<T> numbers) {
  return {numbers.data(), {numbers.size()}};
}

TrainerOptions golden_trainer(size_t batch, size_t micro_batch, size_t lanes) {
  TrainerOptions options;
  options.batch = batch, options.positions = positions, options.micro_batch = micro_batch, options.lanes = lanes;
  return options;
}

}  // namespace

TEST_CASE("rollouts are prompts with answers behind them, whose tokens alone are targets") {
  const std::vector<Rollout> rollouts = {{{5, 6}, {7, 8, 9}}, {{4}, {3}}, {{1, 2, 3}, {4, 5}}};
  const RolloutBatch batch(rollouts, 4);
  const std::int32_t no = no_target;
  const Array<std::int32_t, 2> tokens = {{5, 6, 7, 8}, {4, 3, 0, 0}, {1, 2, 3, 4}};
  const Array<std::int32_t, 2> targets = {{no, 7, 8, 9}, {3, no, no, no}, {no, no, 4, 5}};
  CHECK(difference(batch.batch().tokens, tokens, 0) == "");
  CHECK(difference(batch.batch().targets, targets, 0) == "");
  REQUIRE(batch.answers().size() == 3);
  for (size_t b = 0; b < 3; ++b)
    for (size_t t = 0; t < 4; ++t)
      CHECK((targets(b, t) != no) == (t >= batch.answers()[b].begin && t < batch.answers()[b].end));
  const auto refused = [](Rollout rollout, const char* words) {
    const std::vector<Rollout> all = {{{1}, {2}}, std::move(rollout)};
    CHECK_THROWS_WITH(RolloutBatch(all, 4), contains(words));
  };
  refused({{}, {1}}, "answer 2: its request has no tokens, expected at least one");
  refused({{1}, {}}, "answer 2: it has no tokens, expected at least one");
  refused({{1, 2, 3}, {4, 5, 6}}, "answer 2: with its request it has 6 tokens, expected at most 5");
  refused({{1}, {2}, true, NAN}, "answer 2: its score is nan, expected a number");
}

TEST_CASE("log p, loss and gradient of a model over rollouts are PyTorch's, whatever the loss is a mean of") {
  const LlamaParameters weights = golden_model();
  const std::vector<Rollout> rollouts = golden_rollouts();
  const RolloutBatch batch(rollouts, positions);
  LossEvaluator evaluator(tiny(), batch.size(), positions, true);
  Array<real, 2> log_p({batch.size(), positions}, real(NAN));
  CHECK(evaluator.forward(weights, batch.batch(), keep_log_p(view(log_p))) == 0);
  // Measured over the x86 targets: log p 1.2 eps, the losses 0.6, the gradients 12.
  CHECK(relative_error(log_p, golden<2>("18-ppo/model_log_p.npy")) < 3 * epsilon);
  const std::pair<const char*, TokenWeight> kinds[] = {
      {"tokens", TokenWeight::tokens}, {"answers", TokenWeight::answers}, {"constant", TokenWeight::constant}};
  for (const auto& [name, weight] : kinds) {
    CAPTURE(name);
    const GoldenTargets golden_targets(batch, weight);
    const LlamaParameters gradients(tiny());
    const Objective objective = policy_objective(golden_targets.targets(), golden_targets.options);
    const double loss = evaluator.forward_backward(weights, batch.batch(), objective, gradients.tensors());
    const std::string prefix = std::string("18-ppo/model_") + name;
    CHECK(difference(loss, golden<1>(prefix + "_loss.npy")(0), 2 * epsilon) == "");
    CHECK(relative_error(row(gradients.flat()), golden<1>(prefix + "_d_parameters.npy")) < 30 * epsilon);
  }
}

TEST_CASE("however a batch of rollouts is divided, the step is the same") {
  const std::vector<Rollout> rollouts = golden_rollouts();
  const RolloutBatch batch(rollouts, positions);
  const GoldenTargets golden_targets(batch, TokenWeight::tokens);
  std::vector<RowFigures> first;
  double loss = 0, norm = 0;
  for (const size_t micro_batch : {4, 1, 2})
    for (const size_t lanes : {1, 3}) {
      CAPTURE(micro_batch, lanes);
      const LlamaParameters weights = golden_model();
      ThreadPool pool(2);
      Trainer trainer(weights, golden_trainer(4, micro_batch, lanes), pool);
      std::vector<RowFigures> figures(4);
      const Objective objective = policy_objective(golden_targets.targets(), golden_targets.options, figures);
      const StepResult step = trainer.step(batch.batch(), 0.01, objective);
      if (first.empty()) first = figures, loss = step.loss, norm = step.gradient_norm;
      CHECK(std::abs(step.loss - loss) < 1e-6);
      CHECK(std::abs(step.gradient_norm / norm - 1) < 1e-5);
      for (size_t b = 0; b < 4; ++b) {
        CHECK(figures[b].tokens == double(batch.answers()[b].size()));
        CHECK(figures[b].clipped == first[b].clipped);
        CHECK(std::abs(figures[b].moved - first[b].moved) < 1e-5);
      }
    }
}

TEST_CASE("the objective of values is a critic's loss at each position that has a reward, whichever rows it is shown") {
  const std::vector<Range> spans = {{1, 3}, {0, 4}, {2, 3}};
  const Array<real, 2> values = {{9, 1, 2, 9}, {1, 2, 3, 4}, {9, 9, 5, 9}},
                       old = {{9, 1, 1, 9}, {1, 2, 3, 3}, {9, 9, 5, 9}};
  const Array<double, 2> returns = {{7, 0, 1, 7}, {1, 1, 3, 6}, {7, 7, 4, 7}};
  const std::vector<double> weights = token_weights(spans, TokenWeight::tokens, 0);
  std::vector<RowFigures> figures(3);
  const Objective objective =
      value_objective({view(old), view(returns), spans, weights}, {.clip = 0.5, .coefficient = 0.7}, figures);
  // Row 0: (1 - 0)², (2 - 1)²; row 1: (2 - 1)², (3.5 - 6)² which is clipped; row 2: (5 - 4)².
  const double slope = 0.7 / 7;
  const Array<double, 2> expected = {{0, slope, slope, 0}, {0, slope, 0, 0}, {0, 0, slope, 0}};
  const Array<std::int32_t, 2> tokens = zeros<std::int32_t, 2>({3, 4});
  const Batch batch = {view(tokens), view(tokens)};
  for (const size_t rows : {3, 1, 2}) {
    Array<real, 2> d_values = zeros<real, 2>({3, 4});
    double loss = 0;
    for (size_t b = 0; b < 3; b += rows) {
      const size_t to = std::min<size_t>(b + rows, 3);
      loss += objective({part_of(batch, b, to), {}, {}, view(values).rows(b, to), view(d_values).rows(b, to)});
    }
    CHECK(std::abs(loss - slope * (1 + 1 + 1 + 6.25 + 1) / 2) < 1e-15);
    CHECK(difference(d_values, expected, epsilon) == "");
    CHECK(figures[1].clipped == 1);
    CHECK(figures[0].clipped + figures[2].clipped == 0);
    CHECK(figures[1].tokens == 4);
  }
}

TEST_CASE("objectives that do not fit their batch are refused") {
  const LlamaParameters weights = golden_model();
  const std::vector<Rollout> rollouts = golden_rollouts();
  const RolloutBatch batch(rollouts, positions);
  const GoldenTargets golden_targets(batch, TokenWeight::tokens);
  PolicyTargets targets = golden_targets.targets();
  targets.weights = targets.weights.first(3);
  CHECK_THROWS_AS(policy_objective(targets, {}), ContractError);
  targets = golden_targets.targets();
  targets.reference = {};
  CHECK_NOTHROW(policy_objective(targets, {}));
  CHECK_THROWS_AS(policy_objective(targets, golden_targets.options), ContractError);
  const std::vector<Rollout> more = {rollouts[0], rollouts[1], rollouts[0], rollouts[1], rollouts[0]};
  const RolloutBatch larger(more, positions);
  LossEvaluator evaluator(tiny(), larger.size(), positions, false);
  CHECK_THROWS_AS(evaluator.forward(weights, larger.batch(), policy_objective(golden_targets.targets(), {})),
                  ContractError);
}
