// Chapter 18: advantages without a critic: an answer against the others to the same request (GRPO, Shao et al. 2024,
// arXiv:2402.03300, section 4.1.2).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace cria {

struct GroupOptions {
  /// GRPO divides by the group's standard deviation. Dr. GRPO (Liu et al. 2025, arXiv:2503.20783) does not: requests on
  /// which nearly all answers are right, or wrong, would weigh most.
  bool divide_by_std = true;
  bool bessel = true;  ///< its variance divides by n - 1 (TRL, CS336), not by n (OpenRLHF)
  double eps = 1e-4;   ///< is added to the deviation
};

/// (score - mean of its group) / (deviation of the group + eps), for groups of that many scores in a row. Throws
/// ContractError for groups of fewer than 2, or scores that make no whole groups.
std::vector<double> group_advantages(std::span<const double> scores, std::size_t group, const GroupOptions& options);

/// The share of groups whose scores are all the same: nothing is learned from them.
double share_without_spread(std::span<const double> scores, std::size_t group);

}  // namespace cria
