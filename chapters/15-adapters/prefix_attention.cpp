// Chapter 15, attention to a prefix of learned vectors, forward and backward, a head at a time.
#include "chapters/15-adapters/prefix_attention.hpp"

#include <cmath>

#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

void require_shapes(View<const real, 3> q, View<const real, 3> k, View<const real, 3> v, View<const real, 1> gate,
                    View<real, 2> weights) {
  const size_t N = q.shape(0), H = q.shape(1), P = k.shape(0), G = k.shape(1), Dh = q.shape(2);
  require(G > 0 && H % G == 0, "prefix_attention", "the key/value heads must divide the query heads");
  require(P > 0, "prefix_attention", "the prefix has no vectors");
  require_shape("prefix_attention: k", k, Shape<3>{P, G, Dh});
  require_shape("prefix_attention: v", v, Shape<3>{P, G, Dh});
  require_shape("prefix_attention: gate", gate, Shape<1>{H});
  require_shape("prefix_attention: weights", weights, Shape<2>{N, P});
}

}  // namespace

void prefix_attention_forward(View<const real, 3> q, View<const real, 3> k, View<const real, 3> v,
                              View<const real, 1> gate, View<real, 2> weights, View<real, 3> out) {
  require_shapes(q, k, v, gate, weights);
  require_shape("prefix_attention_forward: out", out, q.shape());
  const size_t N = q.shape(0), H = q.shape(1), heads_per_group = H / k.shape(1);
  const real scale = 1 / std::sqrt(real(q.shape(2)));
  for (size_t h = 0; h < H; ++h) {
    const size_t g = h / heads_per_group;
    // solution: prefix_attention_forward
    noalias(weights) = matmul(q.at<1>(h), transposed(k.at<1>(g)));
    noalias(weights) *= scale;
    for (size_t n = 0; n < N; ++n) softmax(weights[n]);
    noalias(weights) *= gate(h);
    noalias(out.at<1>(h)) += matmul(weights, v.at<1>(g));
    // end of solution
  }
}

void prefix_attention_backward(View<const real, 3> d_out, View<const real, 3> q, View<const real, 3> k,
                               View<const real, 3> v, View<const real, 1> gate, View<real, 2> weights,
                               View<real, 2> d_weights, View<real, 3> d_q, View<real, 3> d_k, View<real, 3> d_v,
                               View<real, 1> d_gate) {
  require_shapes(q, k, v, gate, weights);
  require_shape("prefix_attention_backward: d_out", d_out, q.shape());
  require_shape("prefix_attention_backward: d_weights", d_weights, weights.shape());
  require_shape("prefix_attention_backward: d_q", d_q, q.shape());
  require_shape("prefix_attention_backward: d_k", d_k, k.shape());
  require_shape("prefix_attention_backward: d_v", d_v, v.shape());
  require_shape("prefix_attention_backward: d_gate", d_gate, gate.shape());
  const size_t N = q.shape(0), H = q.shape(1), heads_per_group = H / k.shape(1);
  const real scale = 1 / std::sqrt(real(q.shape(2)));
  for (size_t h = 0; h < H; ++h) {
    const size_t g = h / heads_per_group;
    const View<const real, 2> Q = q.at<1>(h), K = k.at<1>(g), V = v.at<1>(g), d_O = d_out.at<1>(h);
    // solution: prefix_attention_backward
    noalias(weights) = matmul(Q, transposed(K));
    noalias(weights) *= scale;
    // out += gate weights V gives gate d_out Vᵀ for the weights; the gate is multiplied in below
    noalias(d_weights) = matmul(d_O, transposed(V));
    for (size_t n = 0; n < N; ++n) {
      softmax(weights[n]);
      // Σ_p weights d_weights is what the softmax takes off, and the gate's gradient as well
      const real mean = dot(weights[n], d_weights[n]);
      d_gate(h) += mean;
      noalias(d_weights[n]) = weights[n] * (d_weights[n] - mean) * (gate(h) * scale);
    }
    // scores = scale Q Kᵀ
    noalias(d_q.at<1>(h)) += matmul(d_weights, K);
    noalias(d_k.at<1>(g)) += matmul(transposed(d_weights), Q);
    noalias(weights) *= gate(h);
    noalias(d_v.at<1>(g)) += matmul(transposed(weights), d_O);
    // end of solution
  }
}

void gate_forward(View<const real, 1> x, View<real, 1> gate) {
  require_shape("gate_forward: gate", gate, x.shape());
  // solution: gate_forward
  for (size_t h = 0; h < x.size(); ++h) gate(h) = std::tanh(x(h));
  // end of solution
}

void gate_backward(View<const real, 1> d_gate, View<const real, 1> gate, View<real, 1> d_x) {
  require_shape("gate_backward: gate", gate, d_gate.shape());
  require_shape("gate_backward: d_x", d_x, d_gate.shape());
  // solution: gate_backward
  // gate = tanh(x), whose derivative is 1 - tanh²
  for (size_t h = 0; h < gate.size(); ++h) d_x(h) += (1 - gate(h) * gate(h)) * d_gate(h);
  // end of solution
}

}  // namespace cria
