// A layer as a plain function: one sequence, one thread, no cache. The lesson shows it first, and block_forward has to
// give the same bits.
#pragma once

#include "chapters/02-linear/linear.hpp"
#include "chapters/03-rmsnorm/rmsnorm.hpp"
#include "chapters/05-attention/attention.hpp"
#include "chapters/07-swiglu/swiglu.hpp"
#include "chapters/08-llama/llama.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria::testing {

/// hidden (T, C) becomes the layer's output.
inline void plain_block(const LlamaConfig& config, const LayerTensors<real>& w, const RopeAngles& angles,
                        View<real, 2> hidden) {
  const size_t T = hidden.shape(0), C = config.dim, H = config.heads, G = config.kv_heads, Dh = config.head_dim,
               F = config.hidden_dim;
  const real eps = real(config.norm_eps);
  Arena<real> memory(T * (3 * C + 2 * H * Dh + 2 * G * Dh + 3 * F + H + 1) + attention_scratch_size(T));
  const auto matrix = [&](size_t columns) { return memory.take(Shape<2>{T, columns}); };
  const auto heads = [&](size_t count) { return memory.take(Shape<3>{T, count, Dh}); };
  const auto flat = [&](const View<real, 3>& x) { return x.reshape(Shape<2>{T, x.shape(1) * Dh}); };
  const View<real, 2> x = matrix(C), added = matrix(C), gate = matrix(F), up = matrix(F), gated = matrix(F);
  const View<real, 3> q = heads(H), k = heads(G), v = heads(G), attended = heads(H);
  const View<real, 2> log_sum_exp = matrix(H);
  const View<real, 1> inverse_rms = memory.take(Shape<1>{T});
  const std::span<real> scratch = memory.take(Shape<1>{attention_scratch_size(T)}).span();
  // solution: plain_block
  rmsnorm_forward(hidden, w.attention_norm, eps, x, inverse_rms);
  linear_forward(x, w.query, flat(q));
  linear_forward(x, w.key, flat(k));
  linear_forward(x, w.value, flat(v));
  rope_forward(q, angles, config.rope_pairing);
  rope_forward(k, angles, config.rope_pairing);
  attention_forward(q, k, v, {}, attended, log_sum_exp, scratch);
  linear_forward(flat(attended), w.output, added);
  noalias(hidden) += added;

  rmsnorm_forward(hidden, w.feed_forward_norm, eps, x, inverse_rms);
  linear_forward(x, w.gate, gate);
  linear_forward(x, w.up, up);
  swiglu_forward(gate, up, gated);
  linear_forward(gated, w.down, added);
  noalias(hidden) += added;
  // end of solution
}

}  // namespace cria::testing
