// Chapter 18, estimates of a divergence. It leaves out what is done with them: token_rewards.cpp, policy_loss.cpp.
#include "chapters/18-ppo/kl_estimate.hpp"

#include <cmath>

namespace cria {

KlTerm kl_estimate(KlEstimate kind, double log_ratio) {
  const double d = log_ratio;
  KlTerm term{};
  // solution: kl_estimate
  switch (kind) {
    case KlEstimate::k1:
      term = {d, 1};
      break;
    case KlEstimate::k2:
      term = {d * d / 2, d};
      break;
    case KlEstimate::k3:
      term = {std::expm1(-d) + d, -std::expm1(-d)};
      break;  // expm1(x) = exp(x) - 1
  }
  // end of solution
  return term;
}

}  // namespace cria
