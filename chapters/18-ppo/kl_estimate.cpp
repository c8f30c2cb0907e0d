// Chapter 18, estimates of a divergence. It leaves out what is done with them: token_rewards.cpp, policy_loss.cpp.
#include "chapters/18-ppo/kl_estimate.hpp"

#include <cmath>

namespace cria {

KlTerm kl_estimate(KlEstimate kind, double log_ratio) {
  const double d = log_ratio;
  // solution: kl_estimate
  if (kind == KlEstimate::k1) return {d, 1};
  if (kind == KlEstimate::k2) return {d * d / 2, d};
  return {std::expm1(-d) + d, -std::expm1(-d)};  // expm1(x) = exp(x) - 1
  // end of solution
}

}  // namespace cria
