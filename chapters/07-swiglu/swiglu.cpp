// SwiGLU, forward and backward, a row at a time. The formula itself, with the exponential that must not overflow, is
// the primitive silu_mul (lib/simd/portable.cpp is the one to read).
#include "chapters/07-swiglu/swiglu.hpp"

#include "lib/base/check.hpp"
#include "lib/simd/primitives.hpp"

namespace cria {

void swiglu_forward(View<const real, 2> gate, View<const real, 2> up, View<real, 2> out) {
  require_shape("swiglu_forward: up", up, gate.shape());
  require_shape("swiglu_forward: out", out, gate.shape());
  // solution: swiglu_forward
  const auto [N, F] = gate.shape();
  for (size_t n = 0; n < N; ++n) {
    // out = gate * sigmoid(gate) * up
    simd::silu_mul(gate[n].data(), up[n].data(), out[n].data(), F);
  }
  // end of solution
}

void swiglu_backward(View<const real, 2> d_out, View<const real, 2> gate, View<const real, 2> up, View<real, 2> d_gate,
                     View<real, 2> d_up) {
  require_shape("swiglu_backward: d_out", d_out, gate.shape());
  require_shape("swiglu_backward: up", up, gate.shape());
  require_shape("swiglu_backward: d_gate", d_gate, gate.shape());
  require_shape("swiglu_backward: d_up", d_up, gate.shape());
  // solution: swiglu_backward
  const auto [N, F] = gate.shape();
  for (size_t n = 0; n < N; ++n) {
    // out = gate * sigmoid(gate) * up, with s = sigmoid(gate) and s' = s (1 - s):
    //   d_gate += d_out * up * (s + gate * s * (1 - s))
    //   d_up   += d_out * gate * s
    simd::silu_mul_backward(gate[n].data(), up[n].data(), d_out[n].data(), d_gate[n].data(), d_up[n].data(), F);
  }
  // end of solution
}

}  // namespace cria
