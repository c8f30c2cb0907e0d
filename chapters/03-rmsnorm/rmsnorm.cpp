// RMSNorm, forward and backward, a row at a time.
#include "chapters/03-rmsnorm/rmsnorm.hpp"

#include <cmath>

#include "lib/base/check.hpp"
#include "lib/base/xtensor.hpp"
#include "lib/simd/primitives.hpp"

namespace cria {

void rmsnorm_forward(View<const real, 2> x, View<const real, 1> weight, real eps, View<real, 2> y,
                     View<real, 1> inverse_rms) {
  const auto [N, C] = x.shape();
  require_shape("rmsnorm_forward: weight", weight, {C});
  require_shape("rmsnorm_forward: y", y, x.shape());
  require_shape("rmsnorm_forward: inverse_rms", inverse_rms, {N});
  // solution: rmsnorm_forward
  for (size_t n = 0; n < N; ++n) {
    const real mean_square = simd::dot(x[n].data(), x[n].data(), C) / real(C);
    const real r = inverse_rms[n] = 1 / std::sqrt(mean_square + eps);
    noalias(array(y[n])) = array(x[n]) * r * array(weight);
  }
  // end of solution
}

void rmsnorm_backward(View<const real, 2> d_y, View<const real, 2> x, View<const real, 1> weight,
                      View<const real, 1> inverse_rms, View<real, 2> d_x, View<real, 1> d_weight) {
  const auto [N, C] = x.shape();
  require_shape("rmsnorm_backward: d_y", d_y, x.shape());
  require_shape("rmsnorm_backward: weight", weight, {C});
  require_shape("rmsnorm_backward: inverse_rms", inverse_rms, {N});
  require_shape("rmsnorm_backward: d_x", d_x, x.shape());
  require_shape("rmsnorm_backward: d_weight", d_weight, {C});
  // solution: rmsnorm_backward
  for (size_t n = 0; n < N; ++n) {
    const real r = inverse_rms[n];
    const auto d_y_n = array(d_y[n]), x_n = array(x[n]), w = array(weight);
    // y = x * r * weight
    array(d_weight) += d_y_n * x_n * r;
    const real d_r = xt::sum(d_y_n * w * x_n)();
    // r = (mean(x²) + eps)^(-1/2), so dr/dx = -r³ x / C
    array(d_x[n]) += d_y_n * w * r - x_n * (d_r * r * r * r / real(C));
  }
  // end of solution
}

}  // namespace cria
