// Chapter 18: how far a policy is from its reference, estimated from one sample of the policy (Schulman 2020,
// "Approximating KL divergence").
#pragma once

namespace cria {

/// With d = log π(y) - log ref(y) of a y that was drawn from π. All but k2 have the divergence KL(π || ref) for their
/// mean.
enum class KlEstimate {
  k1,  ///< d: without bias, of either sign. In the reward: PPO of InstructGPT, TRL, OpenRLHF and torchtune
  k2,  ///< d² / 2: never negative. As a loss, the one whose mean gradient is that of KL(π || ref)
  k3,  ///< exp(-d) - 1 + d: without bias and never negative. In GRPO's loss (Shao et al. 2024, arXiv:2402.03300, eq. 4)
};

struct KlTerm {
  double value, slope;  // slope: its derivative by log π(y), where y stays as it is
};

/// Of one token, or of a whole answer where d is the sum over its tokens.
KlTerm kl_estimate(KlEstimate kind, double log_ratio);

}  // namespace cria
