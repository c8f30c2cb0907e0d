// RMSNorm: divides a vector by its root mean square and scales every channel by a learned weight.
//
// Leaves out the mean and the bias of LayerNorm, as Llama does, and threads: callers split the rows.
#pragma once

#include "lib/base/real.hpp"
#include "lib/base/view.hpp"

namespace cria {

/// For each row, y = x / sqrt(mean(x²) + eps) * weight (Zhang and Sennrich 2019, arXiv:1910.07467, eq. 4; eps, which
/// keeps a row of zeros finite, is inside the root as in Llama).
/// inverse_rms[n] = 1 / sqrt(mean(x[n]²) + eps) is what backward needs. Rows may be strided; columns are contiguous.
/// y must not overlap x. Throws ContractError when shapes do not fit.
void rmsnorm_forward(View<const real, 2> x,       // (N, C)
                     View<const real, 1> weight,  // (C)
                     real eps, View<real, 2> y,   // (N, C)
                     View<real, 1> inverse_rms);  // (N)

/// Adds the gradients to d_x and d_weight; x, weight and inverse_rms are those of forward.
/// d_x must not overlap d_y.
void rmsnorm_backward(View<const real, 2> d_y,          // (N, C)
                      View<const real, 2> x,            // (N, C)
                      View<const real, 1> weight,       // (C)
                      View<const real, 1> inverse_rms,  // (N)
                      View<real, 2> d_x,                // (N, C), accumulates
                      View<real, 1> d_weight);          // (C), accumulates; empty: it is not to learn

}  // namespace cria
