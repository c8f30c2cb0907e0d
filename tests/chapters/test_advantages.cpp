// Chapter 18, from scores to advantages: by hand, PyTorch's numbers, and what holds for any numbers.
#include <cmath>
#include <numeric>

#include "chapters/18-ppo/advantages.hpp"
#include "chapters/18-ppo/group_advantages.hpp"
#include "chapters/18-ppo/token_rewards.hpp"
#include "chapters/18-ppo/whitening.hpp"
#include "tests/chapters/ppo_goldens.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

std::vector<double> golden_row(const std::string& name) {
  const Array<double, 1> row = golden<1>(name);
  return {row.begin(), row.end()};
}

/// The numbers of one answer.
std::vector<double> gae(std::vector<double> rewards, std::vector<double> values, const GaeOptions& options) {
  std::vector<double> advantages(rewards.size());
  const Shape<1> shape = {rewards.size()};
  generalised_advantages(View<const double, 1>(rewards.data(), shape), View<const double, 1>(values.data(), shape),
                         options, View<double, 1>(advantages.data(), shape));
  return advantages;
}

std::vector<double> whitened(std::vector<double> numbers, const Whitening& options) {
  whiten(numbers, options);
  return numbers;
}

}  // namespace

TEST_CASE("divergence, rewards and advantages: the example of the lesson, worked by hand") {
  // A token that is twice as probable as under the reference.
  const double d = std::log(0.2 / 0.1);
  CHECK(std::abs(kl_estimate(KlEstimate::k1, d).value - std::log(2.)) < 1e-15);
  CHECK(std::abs(kl_estimate(KlEstimate::k2, d).value - std::log(2.) * std::log(2.) / 2) < 1e-15);
  CHECK(std::abs(kl_estimate(KlEstimate::k3, d).value - (0.5 - 1 + std::log(2.))) < 1e-15);

  // An answer of three tokens behind a request of two, in a row of six positions; its score is 1.
  const Array<real, 2> log_p = {{0, real(-1.5), -3, -1, 0, 0}}, reference = {{0, -2, -2, -1, 0, 0}};
  Array<double, 2> rewards({1, 6}, NAN);
  const std::vector<Range> answers = {{1, 4}};
  RewardOptions options;
  options.kl_coefficient = 0.1;
  token_rewards(view(log_p), view(reference), answers, std::vector<double>{1}, options, view(rewards));
  CHECK(difference(rewards, Array<double, 2>{{0, -0.05, 0.1, 1, 0, 0}}, 1e-15) == "");
  options.score_place = ScorePlace::one_past;
  token_rewards(view(log_p), view(reference), answers, std::vector<double>{1}, options, view(rewards));
  CHECK(difference(rewards, Array<double, 2>{{0, -0.05, 0.1, 0, 1, 0}}, 1e-15) == "");

  const std::vector<double> earned = {-0.05, 0.1, 1}, values = {0.5, 0.4, 0.8};
  const std::vector<double> half = gae(earned, values, {1, 0.5});
  CHECK(difference(half, std::vector<double>{0.15, 0.6, 0.2}, 1e-15) == "");
  CHECK(difference(gae(earned, values, {1, 0}), std::vector<double>{-0.15, 0.5, 0.2}, 1e-15) == "");
  CHECK(difference(gae(earned, values, {1, 1}), std::vector<double>{0.55, 0.7, 0.2}, 1e-15) == "");
  CHECK(difference(whitened(half, {}), std::vector<double>{-0.6757, 1.1488, -0.4730}, 5e-5) == "");
}

TEST_CASE("rewards, advantages and returns are PyTorch's, with the score on the last token and one past it") {
  const Array<real, 2> log_p = golden_real<2>("18-ppo/old_log_p.npy");
  const Array<real, 2> reference = golden_real<2>("18-ppo/reference.npy");
  const Array<double, 2> values = golden<2>("18-ppo/values.npy");
  const std::vector<double> scores = golden_row("18-ppo/scores.npy");
  const std::vector<Range> answers = golden_answers();
  RewardOptions options;
  options.kl_coefficient = 0.3;
  for (const ScorePlace place : {ScorePlace::last_token, ScorePlace::one_past}) {
    options.score_place = place;
    const std::string prefix = place == ScorePlace::last_token ? "18-ppo/last_" : "18-ppo/past_";
    CAPTURE(prefix);
    std::vector<Range> spans;
    for (const Range& answer : answers) spans.push_back(rewarded(answer, options, log_p.shape(1)));
    Array<double, 2> rewards(log_p.shape(), NAN), advantages(log_p.shape(), NAN), returns(log_p.shape(), NAN);
    token_rewards(view(log_p), view(reference), answers, scores, options, view(rewards));
    // Differences of two log p that are rounded to `real`.
    CHECK(difference(rewards, golden<2>(prefix + "rewards.npy"), epsilon) == "");
    const Array<double, 2> exact = golden<2>(prefix + "rewards.npy");
    generalised_advantages(view(exact), view(values), spans, {0.9, 0.8}, view(advantages), view(returns));
    CHECK(difference(advantages, golden<2>(prefix + "advantages.npy"), few_doubles) == "");
    CHECK(difference(returns, golden<2>(prefix + "returns.npy"), few_doubles) == "");
    for (const bool shift_mean : {false, true})
      for (const bool bessel : {false, true}) {
        Array<double, 2> white = advantages;
        whiten(view(white), answers, {shift_mean, bessel});
        for (size_t b = 0; b < answers.size(); ++b)  // what stands behind an answer is nobody's advantage
          for (size_t t = answers[b].end; t < spans[b].end; ++t) white(b, t) = 0;
        const char* kind[2][2] = {{"whitened", "whitened_bessel"}, {"whitened_shifted", "whitened_shifted_bessel"}};
        CHECK(difference(white, golden<2>(prefix + kind[shift_mean][bessel] + ".npy"), few_doubles) == "");
      }
  }
}

TEST_CASE("advantages of groups are PyTorch's, each group by itself") {
  const Array<double, 2> scores = golden<2>("18-ppo/group_scores.npy");
  const std::vector<double> flat(scores.begin(), scores.end());
  const auto check = [&](const char* name, const GroupOptions& options) {
    const std::vector<double> advantages = group_advantages(flat, 5, options);
    const Array<double, 2> expected = golden<2>(name);
    CHECK(difference(advantages, std::vector<double>(expected.begin(), expected.end()), few_doubles) == "");
  };
  check("18-ppo/group_advantages.npy", {});
  check("18-ppo/group_advantages_biased.npy", {.bessel = false});
  check("18-ppo/group_advantages_centred.npy", {.divide_by_std = false});
}

TEST_CASE("what the estimates of a divergence are on average, and what they pull towards") {
  // A policy of three tokens, by its logits; everything is summed over all of them.
  const std::vector<double> reference = {0.2, 0.5, 0.3};
  const auto policy_of = [](const std::vector<double>& logits) {
    std::vector<double> p;
    for (const double x : logits) p.push_back(std::exp(x));
    const double sum = std::accumulate(p.begin(), p.end(), 0.0);
    for (double& x : p) x /= sum;
    return p;
  };
  const auto divergence = [](const std::vector<double>& p, const std::vector<double>& q) {
    double sum = 0;
    for (size_t i = 0; i < p.size(); ++i) sum += p[i] * std::log(p[i] / q[i]);
    return sum;
  };
  const std::vector<double> logits = {0.3, -0.4, 0.9}, p = policy_of(logits);
  for (const KlEstimate kind : {KlEstimate::k1, KlEstimate::k3}) {
    double mean = 0;
    for (size_t i = 0; i < 3; ++i) mean += p[i] * kl_estimate(kind, std::log(p[i] / reference[i])).value;
    CHECK(std::abs(mean - divergence(p, reference)) < 1e-15);
  }
  for (size_t j = 0; j < 3; ++j) {
    const double step = 1e-5;
    std::vector<double> more = logits, less = logits;
    more[j] += step, less[j] -= step;
    const double towards =
        (divergence(policy_of(more), reference) - divergence(policy_of(less), reference)) / (2 * step);
    const double backwards =
        (divergence(reference, policy_of(more)) - divergence(reference, policy_of(less))) / (2 * step);
    const auto mean = [&](KlEstimate kind, bool as_reward) {
      double sum = 0;
      for (size_t i = 0; i < 3; ++i) {
        const KlTerm term = kl_estimate(kind, std::log(p[i] / reference[i]));
        sum += p[i] * (as_reward ? term.value : term.slope) * ((i == j ? 1 : 0) - p[j]);  // d log p_i / d logit_j
      }
      return sum;
    };
    CHECK(std::abs(mean(KlEstimate::k1, false)) < 1e-15);             // in the loss: nothing at all
    CHECK(std::abs(mean(KlEstimate::k2, false) - towards) < 1e-9);    // in the loss: right
    CHECK(std::abs(mean(KlEstimate::k3, false) - backwards) < 1e-9);  // in the loss: the divergence the other way round
    CHECK(std::abs(mean(KlEstimate::k1, true) - towards) < 1e-9);     // in the reward: right
    CHECK(std::abs(mean(KlEstimate::k3, true) - towards) > 1e-3);     // in the reward: biased
  }
  for (const double d : {-1e-9, 1e-9, -2., 3.}) {
    CHECK(kl_estimate(KlEstimate::k3, d).value >= 0);
    CHECK(kl_estimate(KlEstimate::k2, d).value >= 0);
  }
}

TEST_CASE("the mean of whitened numbers is 0 or what it was, by the switch, and their variance 1 in its sense") {
  const std::vector<double> numbers = {1, 2, 4, 9, -3.5, 7};
  for (const bool shift_mean : {false, true})
    for (const bool bessel : {false, true}) {
      const std::vector<double> white = whitened(numbers, {shift_mean, bessel});
      const double mean = std::accumulate(white.begin(), white.end(), 0.0) / 6;
      CHECK(std::abs(mean - (shift_mean ? 0 : 3.25)) < 1e-14);
      double squares = 0;
      for (const double x : white) squares += (x - mean) * (x - mean);
      CHECK(std::abs(squares / (bessel ? 5 : 6) - 1) < 1e-8);  // eps beside a variance of 20
    }
  CHECK(whitened({5}, {}) == std::vector<double>{0});
  CHECK(whitened({5}, {.shift_mean = false}) == std::vector<double>{5});
  CHECK(whitened({}, {}).empty());
}

TEST_CASE("padding does not count, whatever stands in it") {
  const std::vector<Range> answers = {{2, 5}, {0, 2}};
  Array<double, 2> clean = {{0, 0, 1, 3, 2, 0}, {4, -1, 0, 0, 0, 0}};
  Array<double, 2> dirty = {{7, 9, 1, 3, 2, 1e6}, {4, -1, -1e6, 3, 3, 3}};
  whiten(view(clean), answers, {});
  whiten(view(dirty), answers, {});
  for (size_t b = 0; b < 2; ++b)
    for (size_t t = answers[b].begin; t < answers[b].end; ++t) CHECK(clean(b, t) == dirty(b, t));
  CHECK(dirty(0, 5) == 1e6);
  const Array<double, 2> rewards = {{9, 9, 0, 0, 1, 9}, {0, 2, 9, 9, 9, 9}},
                         values = {{9, 9, 1, 2, 3, 9}, {1, 1, 9, 9, 9, 9}};
  Array<double, 2> advantages({2, 6}, NAN), returns({2, 6}, NAN);
  generalised_advantages(view(rewards), view(values), answers, {1, 1}, view(advantages), view(returns));
  CHECK(difference(advantages, Array<double, 2>{{0, 0, 0, -1, -2, 0}, {1, 1, 0, 0, 0, 0}}, 0) == "");
  CHECK(difference(returns, Array<double, 2>{{0, 0, 1, 1, 1, 0}, {2, 2, 0, 0, 0, 0}}, 0) == "");
}

TEST_CASE("lambda 1 is the rewards to come less the value, lambda 0 one step's surprise") {
  Random random(2);
  std::vector<double> rewards(7), values(7);
  for (double& x : rewards) x = random.normal();
  for (double& x : values) x = random.normal();
  const std::vector<double> all = gae(rewards, values, {0.9, 1}), next = gae(rewards, values, {0.9, 0});
  for (size_t t = 0; t < 7; ++t) {
    double discounted = 0;
    for (size_t s = t; s < 7; ++s) discounted += std::pow(0.9, double(s - t)) * rewards[s];
    CHECK(std::abs(all[t] - (discounted - values[t])) < 1e-14);
    CHECK(std::abs(next[t] - (rewards[t] + (t < 6 ? 0.9 * values[t + 1] : 0) - values[t])) < 1e-15);
  }
}

TEST_CASE("an answer without an end earns what the option says") {
  RewardOptions options;
  options.missing_end_penalty = 3;
  const auto scores = [&](MissingEnd kind) {
    options.missing_end = kind;
    return std::vector<double>{score_of(0.5, true, options), score_of(0.5, false, options)};
  };
  CHECK(scores(MissingEnd::keep) == std::vector<double>{0.5, 0.5});
  CHECK(scores(MissingEnd::subtract) == std::vector<double>{0.5, -2.5});
  CHECK(scores(MissingEnd::replace) == std::vector<double>{0.5, -3});
}

TEST_CASE("a group's advantages have the mean 0, know no other group, and are 0 where nobody is better") {
  const std::vector<double> scores = {3, 1, 2, 100, 200, 400, 5, 5, 5};
  const std::vector<double> advantages = group_advantages(scores, 3, {});
  for (size_t g = 0; g < 9; g += 3) CHECK(std::abs(advantages[g] + advantages[g + 1] + advantages[g + 2]) < 1e-14);
  const std::vector<double> alone = group_advantages(std::vector<double>{3, 1, 2}, 3, {});
  CHECK(std::vector<double>(advantages.begin(), advantages.begin() + 3) == alone);
  CHECK(std::vector<double>(advantages.begin() + 6, advantages.end()) == std::vector<double>(3, 0));
  CHECK(std::abs(share_without_spread(scores, 3) - 1 / 3.) < 1e-15);
  CHECK_THROWS_AS(group_advantages(scores, 4, {}), ContractError);
  CHECK_THROWS_AS(group_advantages(scores, 1, {}), ContractError);
}
