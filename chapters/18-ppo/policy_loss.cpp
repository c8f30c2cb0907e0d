// Chapter 18, a token's loss. It leaves out how tokens are weighed against each other: token_weights.cpp.
#include "chapters/18-ppo/policy_loss.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lib/base/check.hpp"

namespace cria {

void require_valid(const PolicyLossOptions& options) {
  if (!(options.clip_low > 0 && options.clip_low < 1))
    throw UserError(fmt::format("clip_low is {}, expected more than 0 and less than 1", options.clip_low));
  if (!(options.clip_high > 0) || !std::isfinite(options.clip_high))
    throw UserError(fmt::format("clip_high is {}, expected more than 0", options.clip_high));
  if (!(options.kl_coefficient >= 0) || !std::isfinite(options.kl_coefficient))
    throw UserError(fmt::format("the KL coefficient of the loss is {}, expected 0 or more", options.kl_coefficient));
}

TokenLoss policy_loss(const TokenLogP& log_p, double advantage, const PolicyLossOptions& options) {
  TokenLoss token{};
  // solution: clipped_loss
  const double ratio = std::exp(log_p.policy - log_p.old);
  const double plain = ratio * advantage;
  const double clipped = std::clamp(ratio, 1 - options.clip_low, 1 + options.clip_high) * advantage;
  token.clipped = clipped < plain;
  token.loss = -std::min(plain, clipped);
  token.slope = token.clipped ? 0 : -plain;  // dρ / d log π = ρ
  // end of solution
  if (options.kl_coefficient > 0) {
    // solution: kl_in_the_loss
    const KlTerm kl = kl_estimate(options.kl, log_p.policy - log_p.reference);
    token.loss += options.kl_coefficient * kl.value;
    token.slope += options.kl_coefficient * kl.slope;
    // end of solution
  }
  return token;
}

}  // namespace cria
