// Chapter 18: numbers with mean 0 and variance 1, so that a learning rate suits rewards of any size.
#pragma once

#include <span>

#include "lib/base/view.hpp"

namespace cria {

struct Whitening {
  /// The mean becomes 0. Without, it stays as it was and the deviations alone are scaled. TRL's switch has this sense;
  /// torchtune's of the same name has the opposite one: there true adds the mean again.
  bool shift_mean = true;
  /// The variance divides by n - 1 (Bessel; TRL, torchtune) and not by n (OpenRLHF).
  bool bessel = true;
  double eps = 1e-8;  ///< is added to the variance
};

/// (x - mean) / sqrt(variance + eps) of all numbers, in place. A single number has the variance 0.
void whiten(std::span<double> numbers, const Whitening& options);

/// The same of the numbers of a batch (B, T) that stand in its answers, one range of positions in each row. What is
/// outside of them neither counts nor changes. Throws ContractError for another number of ranges than rows.
void whiten(View<double, 2> numbers, std::span<const Range> answers, const Whitening& options);

}  // namespace cria
