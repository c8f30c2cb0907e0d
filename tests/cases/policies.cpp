// Rewards, advantages and losses of PPO as others computed them, in floats: TRL's, and torchtune's.
#include <cmath>

#include "chapters/18-ppo/policy_options.hpp"
#include "lib/base/xtensor.hpp"
#include "lib/formats/npy.hpp"
#include "tests/cases/case.hpp"
#include "tests/testing.hpp"

namespace cria::testing {
namespace {

template <class T>
Array<T, 2> matrix(const std::vector<double>& values, size_t rows) {
  Array<T, 2> out(Shape<2>{rows, values.size() / rows});
  std::ranges::transform(values, out.begin(), [](double x) { return static_cast<T>(x); });
  return out;
}
template <class T>
Array<T, 2> matrix(const nlohmann::json& rows) {
  std::vector<double> values;
  for (const nlohmann::json& row : rows)
    for (const nlohmann::json& x : row) values.push_back(x.get<double>());
  return matrix<T>(values, rows.size());
}
Array<double, 2> matrix(const Case& c, const char* name) {
  const NpyArray npy = read_npy(c / (std::string(name) + ".npy"));
  return matrix<double>(npy.values, npy.shape.at(0));
}

// Sums of a few floats, which they rounded at every step.
constexpr double tolerance = 2e-6;

/// TRL's tensors, in which values and the score go one position beyond an answer, where the row has room.
struct TrlStep {
  std::vector<Range> answers, rewarded;
  RewardOptions rewards;

  explicit TrlStep(const Case& c) {
    rewards.score_place = ScorePlace::one_past;
    for (const double last : read_npy(c / "sequence_lengths.npy").values) {
      answers.push_back({0, size_t(last) + 1});
      rewarded.push_back(cria::rewarded(answers.back(), rewards, read_npy(c / "logprobs.npy").shape.at(1)));
    }
  }
};

void check_trl_advantages(const Case& c, const TrlStep& step, const nlohmann::json& expected) {
  REQUIRE(expected.at("kl_estimator") == "k1");
  REQUIRE(expected.at("whiten_rewards") == false);
  RewardOptions options = step.rewards;
  options.kl_coefficient = expected.at("kl_coef");
  const Array<real, 2> log_p = xt::cast<real>(matrix(c, "logprobs"));
  const Array<real, 2> reference = xt::cast<real>(matrix(c, "ref_logprobs"));
  Array<double, 2> rewards(log_p.shape()), advantages(log_p.shape()), returns(log_p.shape());
  token_rewards(view(log_p), view(reference), step.answers, read_npy(c / "scores.npy").values, options, view(rewards));
  CHECK(difference(rewards, matrix(c, "rewards"), tolerance) == "");
  const Array<double, 2> values = matrix(c, "values");  // not those where padding is zero already
  generalised_advantages(view(rewards), view(values), step.rewarded, {expected.at("gamma"), expected.at("lam")},
                         view(advantages), view(returns));
  CHECK(difference(advantages, matrix(c, "advantages_before_whitening"), tolerance) == "");
  CHECK(difference(returns, matrix(c, "returns"), tolerance) == "");
  whiten(view(advantages), step.answers, {.shift_mean = true, .bessel = true});
  for (size_t b = 0; b < step.answers.size(); ++b)
    for (size_t t = step.answers[b].end; t < step.rewarded[b].end; ++t) advantages(b, t) = 0;
  CHECK(difference(advantages, matrix(c, "advantages"), tolerance) == "");
}

void check_trl_losses(const Case& c, const TrlStep& step, const nlohmann::json& expected) {
  PolicyLossOptions policy;
  policy.clip_low = policy.clip_high = expected.at("cliprange");
  const ValueLossOptions critic = {expected.at("cliprange_value"), expected.at("vf_coef")};
  const Array<double, 2> old = matrix(c, "logprobs"), log_p = matrix(c, "new_logprobs");
  const Array<double, 2> advantages = matrix(c, "advantages"), returns = matrix(c, "returns");
  const Array<double, 2> values = matrix(c, "new_values"), old_values = matrix(c, "values");
  const std::vector<double> weights = token_weights(step.answers, TokenWeight::tokens, 0);
  const std::vector<double> value_weights = token_weights(step.rewarded, TokenWeight::tokens, 0);
  double policy_sum = 0, clipped = 0, value_sum = 0, values_clipped = 0;
  Array<double, 2> d_log_p = zeros<double, 2>({old.shape(0), old.shape(1)}), d_values = d_log_p;
  for (size_t b = 0; b < step.answers.size(); ++b) {
    for (size_t t = step.answers[b].begin; t < step.answers[b].end; ++t) {
      const TokenLoss token = policy_loss({log_p(b, t), old(b, t), 0}, advantages(b, t), policy);
      policy_sum += weights[b] * token.loss, clipped += weights[b] * token.clipped;
      d_log_p(b, t) = weights[b] * token.slope;
    }
    for (size_t t = step.rewarded[b].begin; t < step.rewarded[b].end; ++t) {
      const ValueTerm term = value_loss(values(b, t), old_values(b, t), returns(b, t), critic);
      value_sum += value_weights[b] * term.loss, values_clipped += value_weights[b] * term.clipped;
      d_values(b, t) = critic.coefficient * value_weights[b] * term.slope;
    }
  }
  CHECK(difference(policy_sum, expected.at("pg_loss"), tolerance) == "");
  CHECK(difference(clipped, expected.at("pg_clipfrac"), tolerance) == "");
  CHECK(difference(d_log_p, matrix(c, "grad_new_logprobs"), tolerance) == "");
  CHECK(difference(value_sum, expected.at("vf_loss"), tolerance) == "");
  CHECK(difference(values_clipped, expected.at("vf_clipfrac"), tolerance) == "");
  CHECK(difference(d_values, matrix(c, "grad_new_values"), tolerance) == "");
  CHECK(difference(policy_sum + critic.coefficient * value_sum, expected.at("loss"), tolerance) == "");
}

/// Whole rows, as torchtune's unit tests have them.
void check_returns(const Array<double, 2>& rewards, const Array<double, 2>& values, const GaeOptions& options,
                   const Array<double, 2>& expected, Array<double, 2>& advantages) {
  const std::vector<Range> whole(rewards.shape(0), Range{0, rewards.shape(1)});
  Array<double, 2> returns(rewards.shape());
  generalised_advantages(view(rewards), view(values), whole, options, view(advantages), view(returns));
  CHECK(difference(returns, expected, tolerance) == "");
}

void check_published_rewards(const nlohmann::json& published) {
  const Array<real, 2> log_p = matrix<real>(published.at("kl"));
  const Array<real, 2> reference = zeros<real, 2>({log_p.shape(0), log_p.shape(1)});
  const std::vector<Range> whole(log_p.shape(0), Range{0, log_p.shape(1)});
  RewardOptions options;
  options.kl_coefficient = published.at("kl_coeff");
  Array<double, 2> rewards(log_p.shape());
  token_rewards(view(log_p), view(reference), whole, published.at("scores").get<std::vector<double>>(), options,
                view(rewards));
  CHECK(difference(rewards, matrix<double>(published.at("total")), tolerance) == "");
}

}  // namespace

bool has_policy_step(const Case& c) { return c.has("scores.npy") && c.has("new_logprobs.npy") && c.has("values.npy"); }

void check_policy_step(const Case& c) {
  const nlohmann::json expected = c.json("expected.json");
  const TrlStep step(c);
  check_trl_advantages(c, step, expected);
  check_trl_losses(c, step, expected);
}

bool has_advantages(const Case& c) { return c.has("rewards.npy") && c.has("advantages.npy") && !has_policy_step(c); }

void check_advantages(const Case& c) {
  const nlohmann::json expected = c.json("expected.json");
  Array<double, 2> advantages = matrix(c, "advantages");
  const Array<double, 2> theirs = advantages;
  check_returns(matrix(c, "rewards"), matrix(c, "values"), {expected.at("gamma"), expected.at("lmbda")},
                matrix(c, "returns"), advantages);
  const std::vector<Range> whole(advantages.shape(0), Range{0, advantages.shape(1)});
  whiten(view(advantages), whole, {.shift_mean = false, .bessel = true});  // their shift_mean is the other way round
  CHECK(difference(advantages, theirs, tolerance) == "");
  const nlohmann::json& published = expected.at("published_returns_test");
  Array<double, 2> one_row(Shape<2>{1, 4});
  check_returns(matrix<double>(published.at("rewards")), matrix<double>(published.at("values")),
                {published.at("gamma"), published.at("lmbda")}, matrix<double>(published.at("returns")), one_row);
  check_published_rewards(expected.at("published_get_rewards_test"));
}

}  // namespace cria::testing
