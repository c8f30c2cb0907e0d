// Chapter 18: the objective of a policy, and of a critic, over a batch of rollouts.
#pragma once

#include <span>
#include <vector>

#include "chapters/10-training-step/objective.hpp"
#include "chapters/18-ppo/policy_loss.hpp"
#include "chapters/18-ppo/value_loss.hpp"

namespace cria {

/// Learns nothing and has no loss: writes log p of a whole batch's targets down, for a trainer's evaluate (keep_values
/// of chapter 16 does so for a critic). It has the bits of the next step on the same rows, so that the first ratio is
/// exactly
/// 1. `log_p` (B, T) must outlive it.
Objective keep_log_p(View<real, 2> log_p);

/// What a policy learns from, of all rows of a batch.
struct PolicyTargets {
  View<const real, 2> old_log_p;     // (B, T) of the policy that sampled the answers
  View<const real, 2> reference;     // (B, T) log p of the frozen one; may be empty where the loss has no divergence
  View<const double, 2> advantages;  // (B, T)
  std::span<const double> weights;   // (B) of a token of each row: token_weights
};

/// Of a row, summed over its answer's tokens.
struct RowFigures {
  double tokens = 0;
  double clipped = 0;  // tokens at which the clip held
  double moved = 0;    // KL(π_old || π), as k3 estimates it: how far the policy has gone from the one that sampled

  RowFigures& operator+=(const RowFigures& other) {
    tokens += other.tokens, clipped += other.clipped, moved += other.moved;
    return *this;
  }
};

/// The weighted sum of the losses of all tokens. Views and spans must outlive it. Each call writes `figures` of its
/// rows unless they are empty. Throws ContractError for shapes that do not fit.
Objective policy_objective(const PolicyTargets& targets, const PolicyLossOptions& options,
                           std::span<RowFigures> figures = {});

/// What a critic learns from, of all rows of a batch.
struct ValueTargets {
  View<const real, 2> old_values;   // (B, T) as they were when the answers were sampled
  View<const double, 2> returns;    // (B, T)
  std::span<const Range> rewarded;  // (B) the positions that have a value: those of the answer's rewards
  std::span<const double> weights;  // (B) of a value of each row
};

/// The weighted sum of the losses of all values, times the options' coefficient; for a trainer of a value model
/// (chapter 16), whose objectives see a value at each position. Otherwise as policy_objective.
Objective value_objective(const ValueTargets& targets, const ValueLossOptions& options,
                          std::span<RowFigures> figures = {});

}  // namespace cria
