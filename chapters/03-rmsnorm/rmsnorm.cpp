// RMSNorm, forward and backward, a row at a time, so that a row is still in the nearest cache when it is used again.
#include "chapters/03-rmsnorm/rmsnorm.hpp"

#include <cmath>

#include "lib/base/check.hpp"
#include "lib/simd/workspace.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {

void rmsnorm_forward(View<const real, 2> x, View<const real, 1> weight, real eps, View<real, 2> y,
                     View<real, 1> inverse_rms) {
  const size_t N = x.shape(0), C = x.shape(1);
  require_shape("rmsnorm_forward: weight", weight, {C});
  require_shape("rmsnorm_forward: y", y, x.shape());
  require_shape("rmsnorm_forward: inverse_rms", inverse_rms, {N});
  // solution: rmsnorm_forward
  for (size_t n = 0; n < N; ++n) {
    const real mean_square = dot(x[n], x[n]) / real(C);
    const real r = inverse_rms[n] = 1 / std::sqrt(mean_square + eps);
    noalias(y[n]) = x[n] * r * weight;
  }
  // end of solution
}

void rmsnorm_backward(View<const real, 2> d_y, View<const real, 2> x, View<const real, 1> weight,
                      View<const real, 1> inverse_rms, View<real, 2> d_x, View<real, 1> d_weight) {
  const size_t N = x.shape(0), C = x.shape(1);
  require_shape("rmsnorm_backward: d_y", d_y, x.shape());
  require_shape("rmsnorm_backward: weight", weight, {C});
  require_shape("rmsnorm_backward: inverse_rms", inverse_rms, {N});
  require_shape("rmsnorm_backward: d_x", d_x, x.shape());
  if (d_weight.empty()) {  // the weight is not to learn: its gradient goes where nobody reads it
    d_weight = {static_cast<real*>(simd::workspace(C * sizeof(real), simd::WorkspaceUse::component)), {C}};
    noalias(d_weight) = 0;
  }
  require_shape("rmsnorm_backward: d_weight", d_weight, {C});
  // solution: rmsnorm_backward
  for (size_t n = 0; n < N; ++n) {
    const real r = inverse_rms[n];
    // y = x * r * weight, and the whole row shares r, so d_r is a sum over the row. It stands first, so that the CPU
    // works on the next line while the sum ends.
    const real d_r = total(d_y[n] * x[n] * weight);
    noalias(d_weight) += d_y[n] * x[n] * r;
    // r = (mean(x²) + eps)^(-1/2), so dr/dx[c] = -r³ x[c] / C
    const real through_r = -d_r * r * r * r / real(C);
    noalias(d_x[n]) += d_y[n] * weight * r + through_r * x[n];
  }
  // end of solution
}

}  // namespace cria
