// Chapter 18: the loss of a token of a sampled answer (PPO, Schulman et al. 2017, arXiv:1707.06347, equation 7).
#pragma once

#include "chapters/18-ppo/kl_estimate.hpp"

namespace cria {

struct PolicyLossOptions {
  /// The ratio is clipped to 1 - clip_low … 1 + clip_high. PPO has 0.2 for both, as TRL, OpenRLHF and torchtune; DAPO
  /// (Yu et al. 2025, arXiv:2503.14476) 0.28 above.
  double clip_low = 0.2, clip_high = 0.2;
  /// Of a divergence in the loss, as GRPO has it (0.04 in its paper), where PPO has it in the reward.
  double kl_coefficient = 0;
  KlEstimate kl = KlEstimate::k3;
};

/// One token as policy, the policy that sampled it, and reference rate it.
struct TokenLogP {
  double policy = 0, old = 0, reference = 0;
};

struct TokenLoss {
  double loss, slope;  // slope: its derivative by log p of the policy
  bool clipped;        // the clip holds, so that the advantage has no slope
};

/// -min(ρ A, clip(ρ) A) + coefficient times the KL estimate, for the ratio ρ = π / π_old and the advantage A.
TokenLoss policy_loss(const TokenLogP& log_p, double advantage, const PolicyLossOptions& options);

/// Throws UserError that names an option out of its range.
void require_valid(const PolicyLossOptions& options);

}  // namespace cria
