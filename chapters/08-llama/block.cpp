// Chapter 08, one decoder layer, forward and backward. All arithmetic is in earlier chapters; here is the order.
//
// Several threads may share a forward pass (lib/base/team.hpp). Each then takes some rows of a norm, some heads, some
// columns of a product, and waits where it goes on with what others have computed. A thread alone takes everything.
// Backward has no such division: training gives whole sequences to each thread (chapter 10).
#include "chapters/08-llama/block.hpp"

#include <algorithm>
#include <initializer_list>

#include "chapters/02-linear/linear.hpp"
#include "chapters/03-rmsnorm/rmsnorm.hpp"
#include "chapters/05-attention/attention.hpp"
#include "chapters/07-swiglu/swiglu.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

// (N, heads * Dh) seen as (N, heads, Dh)
View<real, 3> by_head(View<real, 2> x, size_t head_dim) {
  return x.reshape(Shape<3>{x.shape(0), x.shape(1) / head_dim, head_dim});
}

void zero(std::initializer_list<View<real, 2>> views) {
  for (const View<real, 2>& view : views) noalias(view) = 0;
}

/// Columns of y = x weightᵀ.
struct Output {
  const Weight& weight;
  View<real, 2> y;
  Range columns;
};

/// One position of each sequence is decoding, and stretches are served: a text must not depend on those beside it.
Rows rows_in(const BlockContext& c) { return c.positions == 1 || !c.stretches.empty() ? Rows::apart : Rows::together; }

/// Several of the same x. A part of the columns needs that part of the weight's rows only, so all threads of a team
/// together read each weight once. Where weights want x rounded to 8 bits, each thread rounds some rows for all; of few
/// rows all of them for itself, which is sooner done than waiting for the others.
void linear_columns(const BlockContext& c, View<const real, 2> x, std::initializer_list<Output> outputs) {
  const auto wants_rounded = [](const Output& output) {
    return output.weight.is_in_blocks() && !output.weight.changes_input();
  };
  RoundedRows rounded;
  if (x.shape(0) >= 4 * c.team.size() && !c.rounded.empty() && std::ranges::any_of(outputs, wants_rounded)) {
    rounded = RoundedRows(c.rounded, x.shape());
    rounded.round(x, c.team.share(x.shape(0)));
    c.team.wait();
  }
  for (const auto& [weight, y, columns] : outputs)
    linear_forward(x, weight.rows(columns), y.columns(columns), rounded, rows_in(c));
}

/// d_q += what comes through the layer's addition. Gives what its heads attended to without it.
View<const real, 3> addition_backward(const LayerWeights& w, View<const real, 3> d_attended, const LayerActivations& a,
                                      View<real, 3> d_q) {
  const View<const real, 3> q = by_head(a.query, d_q.shape(2)), attended = by_head(a.attended, d_q.shape(2));
  if (!w.addition) return attended;
  w.addition->backward(d_attended, q, d_q);
  return w.addition->taken_from(attended, q);
}

// The rows of sequence b.
template <class T, size_t N>
View<T, N> sequence(const View<T, N>& x, const BlockContext& c, size_t b) {
  return x.rows(b * c.positions, (b + 1) * c.positions);
}
std::span<const std::int32_t> rows_of(std::span<const std::int32_t> first_key, Range rows) {
  return first_key.empty() ? first_key : first_key.subspan(rows.begin, rows.size());
}
std::span<const std::int32_t> sequence(std::span<const std::int32_t> first_key, const BlockContext& c, size_t b) {
  return rows_of(first_key, Range{b, b + 1} * c.positions);
}

}  // namespace

void block_forward(const BlockContext& c, size_t layer, const LayerWeights& w, const LayerActivations& a) {
  const real eps = static_cast<real>(c.config.norm_eps);
  const size_t N = c.sequences * c.positions, Dh = c.config.head_dim;
  // This thread's share. The heads of a group stay together, as they read the same keys.
  const Range rows = c.team.share(N), groups = c.team.share(c.config.kv_heads);
  const Range heads = groups * (c.config.heads / c.config.kv_heads);
  const Range width = c.team.share(c.config.dim, 16), hidden = c.team.share(c.config.hidden_dim, 16);
  // solution: block_forward
  rmsnorm_forward(a.input.rows(rows), w.attention_norm, eps, a.attention_normed.rows(rows),
                  a.attention_inverse_rms.rows(rows));
  c.team.wait();
  linear_columns(c, a.attention_normed,
                 {{w.query, a.query, heads * Dh}, {w.key, a.key, groups * Dh}, {w.value, a.value, groups * Dh}});
  const View<real, 3> q = by_head(a.query, Dh).columns(heads), out = by_head(a.attended, Dh).columns(heads);
  const View<real, 3> k = by_head(a.key, Dh).columns(groups), v = by_head(a.value, Dh).columns(groups);
  rope_forward(q, c.angles, c.config.rope_pairing);
  rope_forward(k, c.angles, c.config.rope_pairing);
  for_each_stretch(c, [&](size_t first_row, Stretch s) {
    if (groups.empty()) return;
    const Range of = {first_row, first_row + s.positions};
    StoredHeads keys(k.rows(of)), values(v.rows(of));
    if (c.cache) {
      c.cache->append(layer, k.rows(of), v.rows(of), s.sequence, groups.begin);
      keys = c.cache->keys(layer, s.sequence, s.positions).columns(groups);
      values = c.cache->values(layer, s.sequence, s.positions).columns(groups);
    }
    attention_forward(q.rows(of), keys, values, rows_of(c.first_key, of), out.rows(of),
                      a.log_sum_exp.columns(heads).rows(of), c.scratch, rows_in(c));
  });
  if (w.addition && !heads.empty()) w.addition->forward(q, heads, out, rows_in(c));
  c.team.wait();
  linear_columns(c, a.attended, {{w.output, a.middle, width}});
  c.complete(a.middle);
  noalias(a.middle.columns(width)) += a.input.columns(width);
  c.team.wait();

  rmsnorm_forward(a.middle.rows(rows), w.feed_forward_norm, eps, a.feed_forward_normed.rows(rows),
                  a.feed_forward_inverse_rms.rows(rows));
  c.team.wait();
  linear_columns(c, a.feed_forward_normed, {{w.gate, a.gate, hidden}, {w.up, a.up, hidden}});
  swiglu_forward(a.gate.columns(hidden), a.up.columns(hidden), a.gated.columns(hidden));
  c.team.wait();
  linear_columns(c, a.gated, {{w.down, a.output, width}});
  c.complete(a.output);
  noalias(a.output.columns(width)) += a.middle.columns(width);
  c.team.wait();
  // end of solution
}

void block_backward(const BlockContext& c, const LayerWeights& w, const LayerActivations& a,
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
  c.complete(d_normed);
  // feed_forward_normed = rmsnorm(middle): adds to what the sum brought
  rmsnorm_backward(d_normed, a.middle, w.feed_forward_norm, a.feed_forward_inverse_rms, d_hidden, d.feed_forward_norm);

  // middle = input + attended outputᵀ
  zero({d_attended, d_query, d_key, d_value, d_normed});
  linear_backward(d_hidden, a.attended, w.output, d_attended, d.output);
  // attended = attention(query, key, value), for each sequence, and what an adapter adds
  const View<real, 3> d_q = by_head(d_query, Dh), d_k = by_head(d_key, Dh), d_v = by_head(d_value, Dh);
  const View<const real, 3> attended = addition_backward(w, by_head(d_attended, Dh), a, d_q);
  for (size_t b = 0; b < c.sequences; ++b)
    attention_backward(sequence(by_head(d_attended, Dh), c, b), sequence(by_head(a.query, Dh), c, b),
                       sequence(by_head(a.key, Dh), c, b), sequence(by_head(a.value, Dh), c, b),
                       sequence(c.first_key, c, b), sequence(attended, c, b), sequence(a.log_sum_exp, c, b),
                       sequence(d_q, c, b), sequence(d_k, c, b), sequence(d_v, c, b), c.scratch);
  // query, key = rope(query), rope(key)
  rope_backward(d_k, c.angles, c.config.rope_pairing);
  rope_backward(d_q, c.angles, c.config.rope_pairing);
  // value, key, query = attention_normed times their weights
  linear_backward(d_value, a.attention_normed, w.value, d_normed, d.value);
  linear_backward(d_key, a.attention_normed, w.key, d_normed, d.key);
  linear_backward(d_query, a.attention_normed, w.query, d_normed, d.query);
  c.complete(d_normed);
  // attention_normed = rmsnorm(input)
  rmsnorm_backward(d_normed, a.input, w.attention_norm, a.attention_inverse_rms, d_hidden, d.attention_norm);
  // end of solution
}

}  // namespace cria
