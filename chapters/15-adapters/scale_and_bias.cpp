// Chapter 15, a scale and a bias of a linear layer, forward and backward, a row at a time.
#include "chapters/15-adapters/scale_and_bias.hpp"

#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {

void scale_forward(View<const real, 2> x, View<const real, 1> scale, View<real, 2> y) {
  require_shape("scale_forward: scale", scale, Shape<1>{x.shape(1)});
  require_shape("scale_forward: y", y, x.shape());
  for (size_t n = 0; n < x.shape(0); ++n) {
    // solution: scale_forward
    noalias(y[n]) = x[n] * scale;
    // end of solution
  }
}

void scale_backward(View<const real, 2> d_y, View<const real, 2> x, View<const real, 1> scale, View<real, 2> d_x,
                    View<real, 1> d_scale) {
  require_shape("scale_backward: d_y", d_y, x.shape());
  require_shape("scale_backward: scale", scale, Shape<1>{x.shape(1)});
  require_shape("scale_backward: d_scale", d_scale, scale.shape());
  if (!d_x.empty()) require_shape("scale_backward: d_x", d_x, x.shape());
  for (size_t n = 0; n < x.shape(0); ++n) {
    // solution: scale_backward
    noalias(d_scale) += d_y[n] * x[n];
    if (!d_x.empty()) noalias(d_x[n]) += d_y[n] * scale;
    // end of solution
  }
}

void bias_forward(View<const real, 1> bias, View<real, 2> y) {
  require_shape("bias_forward: bias", bias, Shape<1>{y.shape(1)});
  for (size_t n = 0; n < y.shape(0); ++n) noalias(y[n]) += bias;
}

void bias_backward(View<const real, 2> d_y, View<real, 1> d_bias) {
  require_shape("bias_backward: d_bias", d_bias, Shape<1>{d_y.shape(1)});
  for (size_t n = 0; n < d_y.shape(0); ++n) {
    // solution: bias_backward
    noalias(d_bias) += d_y[n];
    // end of solution
  }
}

void ScaleAndBiasAddition::forward(View<const real, 2>, Range outputs, View<real, 2> y) const {
  bias_forward(numbers_.bias.part(outputs), y);
}

void ScaleAndBiasAddition::backward(View<const real, 2> d_y, View<const real, 2>, View<real, 2>) const {
  require(!gradients_.bias.empty(), "ScaleAndBiasAddition", "the adapter was attached to be read, not to learn");
  bias_backward(d_y, gradients_.bias);
}

void ScaleAndBiasAddition::input_forward(View<const real, 2> x, View<real, 2> to) const {
  scale_forward(x, numbers_.scale, to);
}

void ScaleAndBiasAddition::input_backward(View<const real, 2> d_to, View<const real, 2> x, View<real, 2> d_x) const {
  require(!gradients_.scale.empty(), "ScaleAndBiasAddition", "the adapter was attached to be read, not to learn");
  scale_backward(d_to, x, numbers_.scale, d_x, gradients_.scale);
}

}  // namespace cria
