// Chapter 08, one decoder layer, forward and backward. All arithmetic is in earlier chapters; here is the order.
#include "chapters/08-llama/block.hpp"

#include <algorithm>

#include "chapters/02-linear/linear.hpp"
#include "chapters/03-rmsnorm/rmsnorm.hpp"
#include "chapters/05-attention/attention.hpp"
#include "chapters/07-swiglu/swiglu.hpp"
#include "lib/base/xtensor.hpp"

namespace cria {
namespace {

// (N, heads * Dh) seen as (N, heads, Dh)
View<real, 3> by_head(View<real, 2> x, size_t head_dim) {
  return x.reshape(Shape<3>{x.shape(0), x.shape(1) / head_dim, head_dim});
}

void zero(std::initializer_list<View<real, 2>> views) {
  for (const View<real, 2>& view : views) std::ranges::fill(view.span(), real(0));
}

// The rows of sequence b.
template <class T, size_t N>
View<T, N> sequence(const View<T, N>& x, const BlockContext& c, size_t b) {
  return x.rows(b * c.positions, (b + 1) * c.positions);
}
std::span<const std::int32_t> sequence(std::span<const std::int32_t> first_key, const BlockContext& c, size_t b) {
  return first_key.empty() ? first_key : first_key.subspan(b * c.positions, c.positions);
}

}  // namespace

void block_forward(const BlockContext& c, size_t layer, const LayerTensors<real>& w, const LayerActivations& a) {
  const real eps = static_cast<real>(c.config.norm_eps);
  const size_t Dh = c.config.head_dim;
  // solution: block_forward
  rmsnorm_forward(a.input, w.attention_norm, eps, a.attention_normed, a.attention_inverse_rms);
  linear_forward(a.attention_normed, w.query, a.query);
  linear_forward(a.attention_normed, w.key, a.key);
  linear_forward(a.attention_normed, w.value, a.value);
  const View<real, 3> q = by_head(a.query, Dh), k = by_head(a.key, Dh), v = by_head(a.value, Dh);
  rope_forward(q, c.angles, c.config.rope_pairing);
  rope_forward(k, c.angles, c.config.rope_pairing);
  for (size_t b = 0; b < c.sequences; ++b) {
    View<const real, 3> keys = sequence(k, c, b), values = sequence(v, c, b);
    if (c.cache) {
      c.cache->append(layer, keys, values, b);
      keys = c.cache->keys(layer, b);
      values = c.cache->values(layer, b);
    }
    attention_forward(sequence(q, c, b), keys, values, sequence(c.first_key, c, b),
                      sequence(by_head(a.attended, Dh), c, b), sequence(a.log_sum_exp, c, b), c.scratch);
  }
  linear_forward(a.attended, w.output, a.middle);
  noalias(array(a.middle)) += array(a.input);

  rmsnorm_forward(a.middle, w.feed_forward_norm, eps, a.feed_forward_normed, a.feed_forward_inverse_rms);
  linear_forward(a.feed_forward_normed, w.gate, a.gate);
  linear_forward(a.feed_forward_normed, w.up, a.up);
  swiglu_forward(a.gate, a.up, a.gated);
  linear_forward(a.gated, w.down, a.output);
  noalias(array(a.output)) += array(a.middle);
  // end of solution
}

void block_backward(const BlockContext& c, const LayerTensors<real>& w, const LayerActivations& a,
                    const BackwardTensors& buffers, const LayerTensors<real>& d) {
  const size_t Dh = c.config.head_dim;
  const auto& [d_hidden, d_normed, d_query, d_key, d_value, d_attended, d_gate, d_up, d_gated] = buffers;
  // solution: block_backward
  // output = middle + gated downᵀ: d_hidden reaches `middle` unchanged through the sum, and stays in d_hidden.
  zero({d_gated, d_gate, d_up, d_normed});
  linear_backward(d_hidden, a.gated, w.down, d_gated, d.down);
  // gated = swiglu(gate, up)
  swiglu_backward(d_gated, a.gate, a.up, d_gate, d_up);
  // up = feed_forward_normed upᵀ, gate = feed_forward_normed gateᵀ
  linear_backward(d_up, a.feed_forward_normed, w.up, d_normed, d.up);
  linear_backward(d_gate, a.feed_forward_normed, w.gate, d_normed, d.gate);
  // feed_forward_normed = rmsnorm(middle): adds to what the sum brought
  rmsnorm_backward(d_normed, a.middle, w.feed_forward_norm, a.feed_forward_inverse_rms, d_hidden, d.feed_forward_norm);

  // middle = input + attended outputᵀ
  zero({d_attended, d_query, d_key, d_value, d_normed});
  linear_backward(d_hidden, a.attended, w.output, d_attended, d.output);
  // attended = attention(query, key, value), for each sequence
  const View<real, 3> d_q = by_head(d_query, Dh), d_k = by_head(d_key, Dh), d_v = by_head(d_value, Dh);
  for (size_t b = 0; b < c.sequences; ++b)
    attention_backward(sequence(by_head(d_attended, Dh), c, b), sequence(by_head(a.query, Dh), c, b),
                       sequence(by_head(a.key, Dh), c, b), sequence(by_head(a.value, Dh), c, b),
                       sequence(c.first_key, c, b), sequence(by_head(a.attended, Dh), c, b),
                       sequence(a.log_sum_exp, c, b), sequence(d_q, c, b), sequence(d_k, c, b), sequence(d_v, c, b),
                       c.scratch);
  // query, key = rope(query), rope(key)
  rope_backward(d_k, c.angles, c.config.rope_pairing);
  rope_backward(d_q, c.angles, c.config.rope_pairing);
  // value, key, query = attention_normed times their weights
  linear_backward(d_value, a.attention_normed, w.value, d_normed, d.value);
  linear_backward(d_key, a.attention_normed, w.key, d_normed, d.key);
  linear_backward(d_query, a.attention_normed, w.query, d_normed, d.query);
  // attention_normed = rmsnorm(input)
  rmsnorm_backward(d_normed, a.input, w.attention_norm, a.attention_inverse_rms, d_hidden, d.attention_norm);
  // end of solution
}

}  // namespace cria
