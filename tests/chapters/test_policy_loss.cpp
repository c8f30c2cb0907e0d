// Chapter 18, the losses of tokens and values: by hand, PyTorch's numbers, and differences.
#include <cmath>

#include "chapters/18-ppo/policy_options.hpp"
#include "tests/chapters/ppo_goldens.hpp"

using namespace cria;
using namespace cria::testing;

TEST_CASE("the clip and groups: the example of the lesson, worked by hand") {
  const auto token = [](double ratio, double advantage) {
    return policy_loss({std::log(ratio * 0.1), std::log(0.1), 0}, advantage, {});
  };
  const struct {
    double ratio, advantage, loss, slope;
  } rows[] = {{1.5, 1, -1.2, 0}, {1.5, -1, 1.5, 1.5}, {0.5, 1, -0.5, -0.5}, {0.5, -1, 0.8, 0}, {1.1, 1, -1.1, -1.1}};
  for (const auto& row : rows) {
    CAPTURE(row.ratio, row.advantage);
    CHECK(std::abs(token(row.ratio, row.advantage).loss - row.loss) < 1e-15);
    CHECK(std::abs(token(row.ratio, row.advantage).slope - row.slope) < 1e-15);
    CHECK(token(row.ratio, row.advantage).clipped == (row.slope == 0));
  }
  const std::vector<double> scores = {1, 0, 0, 0};
  CHECK(difference(group_advantages(scores, 4, {.eps = 0}), std::vector<double>{1.5, -0.5, -0.5, -0.5}, 1e-15) == "");
  CHECK(difference(group_advantages(scores, 4, {.divide_by_std = false}),
                   std::vector<double>{0.75, -0.25, -0.25, -0.25}, 1e-15) == "");
}

TEST_CASE("losses of policy and critic and their gradients are PyTorch's") {
  const Array<double, 2> log_p = golden<2>("18-ppo/log_p.npy"), old = golden<2>("18-ppo/old_log_p.npy");
  const Array<double, 2> reference = golden<2>("18-ppo/reference.npy"), advantages = golden<2>("18-ppo/advantages.npy");
  const Array<double, 2> values = golden<2>("18-ppo/values.npy"), returns = golden<2>("18-ppo/returns.npy");
  const Array<double, 2> new_values = golden<2>("18-ppo/new_values.npy");
  const std::vector<Range> answers = golden_answers();
  const std::vector<double> weights = token_weights(answers, TokenWeight::tokens, 0);
  for (const bool held : {false, true}) {
    PolicyLossOptions options;
    options.kl_coefficient = held ? 0.04 : 0;
    double loss = 0;
    size_t clipped = 0;
    Array<double, 2> d_log_p = zeros<double, 2>({log_p.shape(0), log_p.shape(1)});
    for (size_t b = 0; b < answers.size(); ++b)
      for (size_t t = answers[b].begin; t < answers[b].end; ++t) {
        const TokenLoss token = policy_loss({log_p(b, t), old(b, t), reference(b, t)}, advantages(b, t), options);
        loss += weights[b] * token.loss;
        d_log_p(b, t) = weights[b] * token.slope;
        clipped += token.clipped;
      }
    const std::string prefix = held ? "18-ppo/held_" : "18-ppo/clipped_";
    CHECK(difference(loss, golden<1>(prefix + "loss.npy")(0), few_doubles) == "");
    CHECK(difference(d_log_p, golden<2>(prefix + "d_log_p.npy"), few_doubles) == "");
    CHECK(clipped >= 2);  // else the goldens would not say whether the clip is right
    CHECK(clipped <= 16);
  }
  std::vector<Range> spans;
  RewardOptions past;
  past.score_place = ScorePlace::one_past;
  for (const Range& answer : answers) spans.push_back(rewarded(answer, past, values.shape(1)));
  const std::vector<double> value_weights = token_weights(spans, TokenWeight::tokens, 0);
  double loss = 0;
  Array<double, 2> d_values = zeros<double, 2>({values.shape(0), values.shape(1)});
  for (size_t b = 0; b < spans.size(); ++b)
    for (size_t t = spans[b].begin; t < spans[b].end; ++t) {
      const ValueTerm term = value_loss(new_values(b, t), values(b, t), returns(b, t), {.clip = 0.5});
      loss += value_weights[b] * term.loss;
      d_values(b, t) = value_weights[b] * term.slope;
    }
  CHECK(difference(loss, golden<1>("18-ppo/value_loss.npy")(0), few_doubles) == "");
  CHECK(difference(d_values, golden<2>("18-ppo/d_values.npy"), few_doubles) == "");
}

TEST_CASE("the derivatives of policy and value losses agree with differences") {
  Random random(1);
  size_t clipped = 0;
  for (int i = 0; i < 200; ++i) {
    const double step = 1e-5;
    const double advantage = random.normal(), old = -3 * random.uniform(), reference = -3 * random.uniform();
    const double log_p = old + 0.4 * random.normal();
    for (const KlEstimate kl : {KlEstimate::k1, KlEstimate::k2, KlEstimate::k3}) {
      PolicyLossOptions options;
      options.kl_coefficient = 0.3, options.kl = kl;
      const auto loss = [&](double move) { return policy_loss({log_p + move, old, reference}, advantage, options); };
      if (loss(-step).clipped != loss(step).clipped) continue;  // no derivative in the kink
      clipped += loss(0).clipped;
      CHECK(std::abs(loss(0).slope - (loss(step).loss - loss(-step).loss) / (2 * step)) < 1e-8);
    }
    const double value = random.normal(), target = random.normal(), old_value = value + 0.4 * random.normal();
    const auto loss = [&](double move) { return value_loss(value + move, old_value, target, {}); };
    if (loss(-step).clipped != loss(step).clipped) continue;
    CHECK(std::abs(loss(0).slope - (loss(step).loss - loss(-step).loss) / (2 * step)) < 1e-8);
  }
  CHECK(clipped > 50);
  CHECK(clipped < 500);
}

TEST_CASE("what is rated as the policy that sampled it has the ratio 1, the loss -A, and no clip") {
  for (const double advantage : {-2., 0., 0.5}) {
    const TokenLoss token = policy_loss({-1.7, -1.7, -1.7}, advantage, {.kl_coefficient = 0.5});
    CHECK(token.loss == -advantage);
    CHECK(token.slope == -advantage);
    CHECK_FALSE(token.clipped);
  }
  for (const KlEstimate kind : {KlEstimate::k1, KlEstimate::k2, KlEstimate::k3}) CHECK(kl_estimate(kind, 0).value == 0);
}

TEST_CASE("weights sum to one, and say what a loss is a mean of") {
  const std::vector<Range> answers = {{2, 5}, {0, 1}};
  CHECK(token_weights(answers, TokenWeight::tokens, 0) == std::vector<double>{0.25, 0.25});
  CHECK(token_weights(answers, TokenWeight::answers, 0) == std::vector<double>{1 / 6., 0.5});
  CHECK(token_weights(answers, TokenWeight::constant, 8) == std::vector<double>{1 / 16., 1 / 16.});
}

TEST_CASE("options of policies out of their range are refused by name") {
  const auto refused = [](auto change, const char* words) {
    PolicyOptions options = grpo_options();
    change(options);
    CHECK_THROWS_WITH(require_valid(options), contains(words));
  };
  for (const PolicyOptions& options : {ppo_options(), grpo_options(), dr_grpo_options()})
    CHECK_NOTHROW(require_valid(options));
  refused([](PolicyOptions& o) { o.policy.clip_low = 1; }, "clip_low is 1, expected more than 0 and less than 1");
  refused([](PolicyOptions& o) { o.policy.clip_high = 0; }, "clip_high is 0, expected more than 0");
  refused([](PolicyOptions& o) { o.policy.kl_coefficient = NAN; }, "the KL coefficient of the loss is nan");
  refused([](PolicyOptions& o) { o.values.clip = -1; }, "the clip of values is -1, expected 0 or more");
  refused([](PolicyOptions& o) { o.gae.lambda = 1.5; }, "lambda is 1.5, expected 0 to 1");
  refused([](PolicyOptions& o) { o.epochs = 0; }, "epochs is 0, expected at least 1");
  refused([](PolicyOptions& o) { o.samples = 1; }, "samples is 1, expected at least 2");
  refused([](PolicyOptions& o) { o.rewards.kl_coefficient = 0.1; }, "belongs to the loss, not to the reward");
}
