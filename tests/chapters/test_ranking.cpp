// Chapter 16, from pairs to a value model's gradient, through chapter 10's trainer.
#include "chapters/16-reward-model/ranking.hpp"

#include <cmath>

#include "chapters/16-reward-model/reward.hpp"
#include "chapters/16-reward-model/value_evaluator.hpp"
#include "tests/chapters/value_golden.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

constexpr size_t positions = 9;

TrainerOptions in_pairs(size_t batch, size_t micro_batch, size_t lanes) {
  TrainerOptions options;
  options.batch = batch, options.positions = positions, options.micro_batch = micro_batch, options.lanes = lanes;
  options.together = 2;
  return options;
}

std::vector<double> rewards_of(const ValueModel& model, const RewardBatch& pairs) {
  ThreadPool pool(2);
  Trainer trainer(model.config(), model.trainable(), in_pairs(2 * pairs.pairs(), 2, 2), pool);
  return cria::rewards_of(trainer, pairs);
}

/// Those of a pair as texts of their own, without padding.
std::vector<std::vector<std::int32_t>> texts_of(const std::vector<PreferencePair>& pairs) {
  std::vector<std::vector<std::int32_t>> texts;
  for (const PreferencePair& pair : pairs)
    for (const auto* answer : {&pair.chosen, &pair.rejected}) {
      texts.push_back(pair.prompt);
      texts.back().insert(texts.back().end(), answer->begin(), answer->end());
    }
  return texts;
}

}  // namespace

TEST_CASE("loss and gradient of a reward model over pairs are PyTorch's, and its bias has none") {
  const ValueModel model = golden_value_model();
  const std::vector<PreferencePair> all = golden_reward_pairs();
  const RewardBatch pairs(all, positions);
  const ParameterSet gradients(model.layout());
  const LaneModel lane = model.trainable().lane(gradients);
  ValueEvaluator evaluator(model.config(), 6, positions, true);
  const double loss = evaluator.forward_backward(lane.weights, pairs.batch(), ranking_objective(pairs), lane.gradients);
  CHECK(difference(loss, golden<1>("16-reward-model/model_loss.npy")(0), 10 * epsilon) == "");
  const size_t without_bias = gradients.flat().size() - 1;
  CHECK(relative_error(gradients.flat({0, without_bias}), golden<1>("16-reward-model/model_d_parameters.npy")) <
        50 * epsilon);
  CHECK(gradients.flat()[without_bias] == 0);
}

TEST_CASE("a pair is two whole sequences, whose rewards stand at their last tokens") {
  const std::vector<PreferencePair> all = golden_reward_pairs();
  const RewardBatch pairs(all, positions);
  const Batch batch = pairs.batch();
  const auto texts = texts_of(all);
  CHECK(pairs.pairs() == 3);
  CHECK(pairs.margins() == std::vector<double>{0, 1, 0.5});
  CHECK(count_targets(batch) == 0);
  for (size_t b = 0; b < 6; ++b) {
    CHECK(pairs.ends()[b] == texts[b].size() - 1);
    for (size_t t = 0; t < positions; ++t) CHECK(batch.tokens(b, t) == (t < texts[b].size() ? texts[b][t] : 0));
  }
}

TEST_CASE("a reward does not depend on padding, nor on what else is in the batch") {
  const ValueModel model = golden_value_model();
  const std::vector<PreferencePair> all = golden_reward_pairs();
  ThreadPool one(1), two(2);
  const std::vector<double> alone = cria::rewards_of(model, texts_of(all), one);
  CHECK(cria::rewards_of(model, texts_of(all), two) == alone);
  CHECK(difference(rewards_of(model, RewardBatch(all, positions)), alone, 10 * epsilon) == "");
  const Array<double, 2> values = golden<2>("16-reward-model/values.npy");
  for (size_t b = 0; b < 6; ++b) CHECK(std::abs(alone[b] - values(b, texts_of(all)[b].size() - 1)) < 20 * epsilon);
  CHECK(cria::rewards_of(model, std::vector<std::vector<std::int32_t>>{}, two).empty());
}

TEST_CASE("without a head all rewards are equal: the first loss is log 2") {
  const ValueModel model(LlamaParameters{tiny()});
  std::vector<PreferencePair> all = golden_reward_pairs();
  for (PreferencePair& pair : all) pair.margin = 0;
  const RewardBatch pairs(all, positions);
  const RankingFigures figures = ranking_figures(rewards_of(model, pairs), pairs.margins());
  CHECK(std::abs(figures.loss - std::log(2.)) < 1e-15);
  CHECK(figures.accuracy == 0);
  CHECK(figures.margin() == 0);
}

TEST_CASE("however a batch of pairs of rewards is divided, the step is the same, and the margin grows") {
  const std::vector<PreferencePair> all = golden_reward_pairs();
  const RewardBatch pairs(all, positions);
  const Objective objective = ranking_objective(pairs);
  const double expected = golden<1>("16-reward-model/model_loss.npy")(0);
  double norm = 0;
  for (const size_t micro_batch : {2, 6})
    for (const size_t lanes : {1, 3}) {
      std::vector<real> of_one_thread;
      for (const size_t threads : {1, 2}) {
        CAPTURE(micro_batch, lanes, threads);
        const ValueModel model = golden_value_model();
        ThreadPool pool(threads);
        Trainer trainer(model.config(), model.trainable(), in_pairs(6, micro_batch, lanes), pool);
        const StepResult step = trainer.step(pairs.batch(), 0.01, objective);
        CHECK(std::abs(step.loss - expected) < 1e-5);
        if (norm == 0) norm = step.gradient_norm;
        CHECK(std::abs(step.gradient_norm / norm - 1) < 1e-5);
        for (int i = 0; i < 30; ++i) trainer.step(pairs.batch(), 0.01, objective);
        const RankingFigures figures = ranking_figures(rewards_of(model, pairs), pairs.margins());
        CHECK(figures.accuracy == 1);
        CHECK(figures.margin() > 3);
        CHECK(figures.loss < 0.1);
        CHECK(model.bias() == real(0.25));  // differences do not move it
        const std::vector<real> now(model.flat().begin(), model.flat().end());
        if (of_one_thread.empty()) of_one_thread = now;
        CHECK(difference(now, of_one_thread, 0) == "");
      }
    }
}

TEST_CASE("the figures of rewards are means over their pairs") {
  const std::vector<double> rewards = {3, 1, 0, 2, 1, 1}, margins = {0, 0, 0};
  const RankingFigures figures = ranking_figures(rewards, margins);
  CHECK(std::abs(figures.loss - (-log_sigmoid(2) - log_sigmoid(-2) + std::log(2.)) / 3) < 1e-15);
  CHECK(figures.accuracy == 1. / 3);
  CHECK(std::abs(figures.chosen - 4. / 3) < 1e-15);
  CHECK(std::abs(figures.margin()) < 1e-15);
  CHECK(ranking_figures(rewards, std::vector<double>{1, 1, 1}).loss > figures.loss);
}

TEST_CASE("a reward model is centred by its bias, and judges as before") {
  const ValueModel model = golden_value_model();
  const std::vector<PreferencePair> all = golden_reward_pairs();
  const auto texts = texts_of(all);
  ThreadPool pool(1);
  const std::vector<double> before = cria::rewards_of(model, texts, pool);
  centre(model, before);
  const std::vector<double> after = cria::rewards_of(model, texts, pool);
  double sum = 0;
  for (const double reward : after) sum += reward;
  CHECK(std::abs(sum / 6) < 2 * epsilon);
  for (size_t i = 0; i < 6; ++i) CHECK(std::abs((after[i] - after[0]) - (before[i] - before[0])) < 10 * epsilon);
}

TEST_CASE("centring moves the bias of a reward model in training, too") {
  const ValueModel model = golden_value_model();
  model.bias() = 4;
  const std::vector<PreferencePair> all = golden_reward_pairs();
  const RewardBatch pairs(all, positions);
  ThreadPool pool(1);
  Trainer trainer(model.config(), model.trainable(), in_pairs(6, 2, 1), pool);
  for (int i = 0; i < 50; ++i) trainer.step(pairs.batch(), 0.01, ranking_objective(pairs, 0.1));
  CHECK(model.bias() < 3.9);  // measured: 3.75, after steps of at most 0.01
}

TEST_CASE("pairs that no reward can be learned from are refused, counted") {
  const auto refused = [](PreferencePair pair, const char* words) {
    const std::vector<PreferencePair> pairs = {{{1}, {2}, {3}}, std::move(pair)};
    CHECK_THROWS_WITH(RewardBatch(pairs, 5, 10), contains(words));
  };
  refused({{}, {2}, {3}}, "pair 11: the request has no tokens, expected at least one");
  refused({{1}, {}, {3}}, "pair 11: the chosen answer has no tokens, expected at least one");
  refused({{1}, {2}, {}}, "pair 11: the rejected answer has no tokens");
  refused({{1}, {2, 3}, {2, 3}}, "pair 11: both answers are the same");
  refused({{1, 2, 3}, {2}, {1, 2, 3}}, "pair 11: with the rejected answer it has 6 tokens, expected at most 5");
  refused({{1}, {2}, {3}, -1}, "pair 11: the margin is -1, expected 0 or more");
  refused({{1}, {2}, {3}, INFINITY}, "pair 11: the margin is inf, expected 0 or more");
}

TEST_CASE("an objective of rewards that does not fit its batch is refused") {
  const ValueModel model = golden_value_model();
  const std::vector<PreferencePair> all = golden_reward_pairs();
  const std::vector<PreferencePair> two = {all[0], all[1]};
  const RewardBatch pairs(all, positions), fewer(two, positions);
  ValueEvaluator evaluator(model.config(), 6, positions, false);
  CHECK_THROWS_AS(evaluator.forward(model.weights(), pairs.batch(), ranking_objective(fewer)), ContractError);
  CHECK_THROWS_AS(evaluator.forward(model.weights(), part_of(pairs.batch(), 1, 3), ranking_objective(pairs)),
                  ContractError);
  const LlamaParameters language(tiny());
  LossEvaluator other(tiny(), 6, positions, false);
  CHECK_THROWS_AS(other.forward(language, pairs.batch(), ranking_objective(pairs)), ContractError);
  CHECK_THROWS_WITH(ranking_objective(pairs, -1), contains("centring is -1, expected 0 or more"));
  CHECK_THROWS_AS(ranking_figures(std::vector<double>{1, 2, 3}, std::vector<double>{0}), ContractError);
}
