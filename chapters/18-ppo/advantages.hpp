// Chapter 18: generalised advantage estimation (Schulman et al. 2015, arXiv:1506.02438): how much better than expected
// it went on after each token.
#pragma once

#include <span>

#include "lib/base/view.hpp"

namespace cria {

struct GaeOptions {
  double gamma = 1;      ///< what a reward is worth one token later; 1: an answer is short, and only its end is scored
  double lambda = 0.95;  ///< 0: trust the next value (little variance); 1: trust the rewards alone (no bias)
};

/// δ_t = r_t + γ V_{t+1} - V_t and A_t = δ_t + γ λ A_{t+1}, from the last of an answer's positions to its first. Behind
/// the last, value and advantage are 0: the answer is over. All three have one number for each position (T).
void generalised_advantages(View<const double, 1> rewards, View<const double, 1> values, const GaeOptions& options,
                            View<double, 1> advantages);

/// The same of a batch (B, T), one range of positions in each row, and returns = advantages + values, what the values
/// should have been. Both are 0 outside of the ranges.
void generalised_advantages(View<const double, 2> rewards, View<const double, 2> values,
                            std::span<const Range> rewarded, const GaeOptions& options, View<double, 2> advantages,
                            View<double, 2> returns);

}  // namespace cria
