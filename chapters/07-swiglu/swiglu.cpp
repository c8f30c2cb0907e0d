// SwiGLU, forward and backward.
#include "chapters/07-swiglu/swiglu.hpp"

#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {

void swiglu_forward(View<const real, 2> gate, View<const real, 2> up, View<real, 2> out) {
  require_shape("swiglu_forward: up", up, gate.shape());
  require_shape("swiglu_forward: out", out, gate.shape());
  // solution: swiglu_forward
  noalias(out) = gate * sigmoid(gate) * up;
  // end of solution
}

void swiglu_backward(View<const real, 2> d_out, View<const real, 2> gate, View<const real, 2> up, View<real, 2> d_gate,
                     View<real, 2> d_up) {
  require_shape("swiglu_backward: d_out", d_out, gate.shape());
  require_shape("swiglu_backward: up", up, gate.shape());
  require_shape("swiglu_backward: d_gate", d_gate, gate.shape());
  require_shape("swiglu_backward: d_up", d_up, gate.shape());
  // solution: swiglu_backward
  // out = silu(gate) * up, with silu = gate * s, s = sigmoid(gate) and s' = s (1 - s)
  // The names are recipes: nothing is computed before the last line, in one loop, in which s is computed once.
  const auto s = sigmoid(gate);
  const auto silu = gate * s;
  const auto slope = s + gate * s * (1 - s);
  noalias(d_up, d_gate) += together(d_out * silu, d_out * up * slope);
  // end of solution
}

}  // namespace cria
