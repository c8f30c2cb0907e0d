// The triangular factor of an inverse, which GPTQ takes its steps from. In double: a Hessian may be nearly singular.
#pragma once

#include "lib/base/thread_pool.hpp"
#include "lib/base/xtensor.hpp"

namespace cria {

/// Replaces a symmetric matrix h, of which only the upper triangle is read, by the upper triangular U with UᵀU = h⁻¹.
/// The inverse itself is never formed: h = R Rᵀ with R upper triangular is Cholesky's factorisation begun at the last
/// row, and U = R⁻¹. False, and h destroyed, where h is not positive definite by more than rounding. The same bits at
/// any number of threads.
bool invert_to_factor(View<double, 2> h /*(K, K)*/, ThreadPool& pool);

}  // namespace cria
