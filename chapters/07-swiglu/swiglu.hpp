// SwiGLU: the feed-forward network's nonlinearity, in which one projection gates another.
//
// Leaves out the three matrix products around it (gate, up and down), which are chapter 02's linear.
#pragma once

#include "lib/base/real.hpp"
#include "lib/base/view.hpp"

namespace cria {

/// out = silu(gate) * up, elementwise, with silu(x) = x / (1 + exp(-x)) (Shazeer 2020, arXiv:2002.05202, eq. 6, where
/// gate = x W, up = x V, and silu is called Swish with beta 1). out may be gate or up. Rows may be strided.
/// Throws ContractError when shapes differ.
void swiglu_forward(View<const real, 2> gate,  // (N, F)
                    View<const real, 2> up,    // (N, F)
                    View<real, 2> out);        // (N, F)

/// Adds the gradients to d_gate and d_up; gate and up are those of forward. No two of the arrays may overlap.
void swiglu_backward(View<const real, 2> d_out,  // (N, F)
                     View<const real, 2> gate,   // (N, F)
                     View<const real, 2> up,     // (N, F)
                     View<real, 2> d_gate,       // (N, F), accumulates
                     View<real, 2> d_up);        // (N, F), accumulates

}  // namespace cria
