// Advantages of groups and clipped losses as the tests of Stanford's CS336 publish them (assignment 5, in floats).
#include <cmath>

#include "chapters/18-ppo/group_advantages.hpp"
#include "chapters/18-ppo/policy_loss.hpp"
#include "chapters/18-ppo/token_weights.hpp"
#include "lib/formats/npy.hpp"
#include "tests/cases/case.hpp"
#include "tests/testing.hpp"

namespace cria::testing {
namespace {

constexpr double published_tolerance = 1e-6;  // the suite's own

void check_published(const std::vector<double>& actual, const std::vector<double>& expected) {
  REQUIRE(actual.size() == expected.size());
  for (size_t i = 0; i < actual.size(); ++i) CHECK(std::abs(actual[i] - expected[i]) <= published_tolerance);
}

/// Tokens that have an answer's advantage each, as a flat (B, T).
struct Tokens {
  std::vector<double> policy, old, advantages;  // the last: one for each row
  size_t columns;

  TokenLoss loss(size_t i, double clip) const {
    PolicyLossOptions options;
    options.clip_low = options.clip_high = clip;
    return policy_loss({policy[i], old[i], 0}, advantages[i / columns], options);
  }
};

}  // namespace

bool has_groups(const Case& c) { return c.has("group_rewards.npy") && c.has("response_mask.npy"); }

void check_groups(const Case& c) {
  const auto numbers = [&](const std::string& name) { return read_npy(c / (name + ".npy")).values; };
  const NpyArray rewards = read_npy(c / "group_rewards.npy");
  GroupOptions options;
  options.eps = 1e-6;  // theirs
  check_published(group_advantages(rewards.values, rewards.shape.at(1), options),
                  numbers("expected_test_compute_group_normalized_rewards_normalize_by_std_normalized_rewards"));
  options.divide_by_std = false;
  check_published(group_advantages(rewards.values, rewards.shape.at(1), options),
                  numbers("expected_test_compute_group_normalized_rewards_no_normalize_by_std_normalized_rewards"));

  const NpyArray policy = read_npy(c / "policy_log_probs.npy");
  const Tokens tokens = {policy.values, numbers("old_log_probs"), numbers("advantages"), policy.shape.at(1)};
  for (const auto& [name, clip] : {std::pair("large", 10.0), std::pair("small", 0.1)}) {
    std::vector<double> losses;
    for (size_t i = 0; i < policy.values.size(); ++i) losses.push_back(tokens.loss(i, clip).loss);
    check_published(losses, numbers(fmt::format("expected_test_compute_grpo_clip_loss_{}_cliprange_array", name)));
  }

  // One of two micro-steps of a step: a mean over answers, and of each over its tokens.
  constexpr double micro_steps = 2, clip = 0.1;
  const std::vector<double> mask = numbers("response_mask");
  std::vector<double> slopes(mask.size());
  double loss = 0;
  for (size_t row = 0; row < policy.shape.at(0); ++row) {
    double count = 0;
    for (size_t t = 0; t < tokens.columns; ++t) count += mask[row * tokens.columns + t];
    const double weight = 1 / (count * double(policy.shape.at(0)) * micro_steps);
    for (size_t i = row * tokens.columns; i < (row + 1) * tokens.columns; ++i) {
      if (mask[i] == 0) continue;
      const TokenLoss token = tokens.loss(i, clip);
      loss += weight * token.loss;
      slopes[i] = weight * token.slope;
    }
  }
  check_published({loss}, numbers("expected_test_grpo_microbatch_train_step_grpo_clip_loss"));
  check_published(slopes, numbers("expected_test_grpo_microbatch_train_step_grpo_clip_policy_log_probs_grad"));
}

}  // namespace cria::testing
