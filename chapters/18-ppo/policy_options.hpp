// Chapter 18: all that a run of PPO or GRPO decides, with the places where published code disagrees.
#pragma once

#include "chapters/18-ppo/advantages.hpp"
#include "chapters/18-ppo/group_advantages.hpp"
#include "chapters/18-ppo/policy_loss.hpp"
#include "chapters/18-ppo/token_rewards.hpp"
#include "chapters/18-ppo/token_weights.hpp"
#include "chapters/18-ppo/value_loss.hpp"
#include "chapters/18-ppo/whitening.hpp"

namespace cria {

/// What says how good an answer was for where it stands.
enum class AdvantageKind {
  critic,  ///< PPO: a second model's values, by generalised_advantages
  group,   ///< GRPO: the other answers to the same request
};

struct PolicyOptions {
  AdvantageKind advantages = AdvantageKind::critic;
  size_t samples = 1;          ///< answers to each request in a step; of a group at least 2
  size_t epochs = 4;           ///< how often a step's answers are gone through (TRL and Stiennon et al. 2020: 4)
  size_t answer_tokens = 256;  ///< the most that an answer may have, its end token included
  std::uint64_t seed = 1;      ///< of the answers
  RewardOptions rewards = {};
  GaeOptions gae = {};            ///< of `critic`, as are whitening and values
  bool whiten_advantages = true;  ///< (all of the above libraries; the clip and the learning rate rely on it)
  Whitening whitening = {};
  GroupOptions groups = {};  ///< of `group`
  PolicyLossOptions policy = {};
  ValueLossOptions values = {};
  TokenWeight weight = TokenWeight::tokens;
};

/// The defaults above: KL 0.05 in the reward, γ 1, λ 0.95, clips 0.2, 4 epochs.
PolicyOptions ppo_options();
/// Groups of 8, KL 0.04 in the loss by k3, one epoch (Shao et al. 2024, section 4.2), a mean over the step's tokens.
PolicyOptions grpo_options();
/// The same without the deviation, with constant lengths, and without a divergence (Liu et al. 2025).
PolicyOptions dr_grpo_options();

/// Throws UserError that names an option out of its range, or two that do not go together.
void require_valid(const PolicyOptions& options);

}  // namespace cria
