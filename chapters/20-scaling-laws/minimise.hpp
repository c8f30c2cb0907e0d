// Chapter 20: the lowest place of a smooth function, from its value and gradient, by BFGS (Nocedal & Wright 2006,
// Numerical Optimization, algorithm 6.1).
//
// Left out: bounds, and the memory-saving L-BFGS. For five numbers the whole matrix has 25.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace cria {

/// Gives the value, and writes the gradient.
using SmoothFunction = std::function<double(std::span<const double> place, std::span<double> gradient)>;

struct MinimiseOptions {
  double tolerance = 1e-14;  ///< it ends where no part of the gradient is larger
  size_t most_steps = 1000;
};

struct Minimum {
  std::vector<double> place;
  double value = 0;
  size_t steps = 0;
};

/// Goes downhill from `start` until the gradient is within the tolerance, or no step goes further down: rounding sets
/// that limit. A value that is not finite counts as infinitely high.
Minimum minimise(const SmoothFunction& function, std::vector<double> start, const MinimiseOptions& options = {});

/// One update of the inverse second derivatives (n, n) after a step s that changed the gradient by y:
/// H ← (I - s yᵀ / yᵀs) H (I - y sᵀ / yᵀs) + s sᵀ / yᵀs (equation 6.17), so that H y = s. yᵀs is above 0.
void update_inverse_hessian(std::span<double> inverse, std::span<const double> step, std::span<const double> change);

}  // namespace cria
