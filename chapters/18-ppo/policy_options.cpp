#include "chapters/18-ppo/policy_options.hpp"

#include <fmt/format.h>

#include <cmath>

#include "lib/base/check.hpp"

namespace cria {
namespace {

void require_not_negative(const char* name, double value) {
  if (!(value >= 0) || !std::isfinite(value)) throw UserError(fmt::format("{} is {}, expected 0 or more", name, value));
}

void require_share(const char* name, double value) {
  if (!(value >= 0 && value <= 1)) throw UserError(fmt::format("{} is {}, expected 0 to 1", name, value));
}

}  // namespace

PolicyOptions ppo_options() { return {}; }

PolicyOptions grpo_options() {
  PolicyOptions options;
  options.advantages = AdvantageKind::group;
  options.samples = 8;
  options.epochs = 1;
  options.rewards.kl_coefficient = 0;
  options.policy.kl_coefficient = 0.04;
  return options;
}

PolicyOptions dr_grpo_options() {
  PolicyOptions options = grpo_options();
  options.groups.divide_by_std = false;
  options.policy.kl_coefficient = 0;
  options.weight = TokenWeight::constant;
  return options;
}

void require_valid(const PolicyOptions& options) {
  require_valid(options.policy);
  require_valid(options.values);
  require_not_negative("the KL coefficient of the reward", options.rewards.kl_coefficient);
  require_not_negative("missing_end_penalty", options.rewards.missing_end_penalty);
  require_share("gamma", options.gae.gamma);
  require_share("lambda", options.gae.lambda);
  if (options.epochs == 0) throw UserError("epochs is 0, expected at least 1");
  if (options.samples == 0) throw UserError("samples is 0, expected at least 1");
  if (options.answer_tokens == 0) throw UserError("answer_tokens is 0, expected at least 1");
  if (options.advantages != AdvantageKind::group) return;
  if (options.samples < 2)
    throw UserError(
        fmt::format("samples is {}, expected at least 2: a group is what an answer is compared with", options.samples));
  if (options.rewards.kl_coefficient > 0)
    throw UserError("groups compare answers, not tokens: the KL coefficient belongs to the loss, not to the reward");
}

}  // namespace cria
