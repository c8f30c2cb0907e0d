#include "chapters/08-llama/activations.hpp"

#include <algorithm>

#include "chapters/05-attention/attention.hpp"
#include "lib/tensor/weight.hpp"

namespace cria {
namespace {

// Names every tensor of a layer with its width, once, for counting and for taking. Where nothing is kept for backward,
// two of them take the place of what has served: smaller rows let a decoder take more of a prompt at a time.
template <class Take>
void lay_out(const LlamaConfig& c, size_t rows, Keep keep, LayerActivations& a, Take&& take) {
  const size_t queries = c.heads * c.head_dim, keys = c.kv_heads * c.head_dim;
  for (View<real, 1>* view : {&a.attention_inverse_rms, &a.feed_forward_inverse_rms}) take(*view, Shape<1>{rows});
  for (View<real, 2>* view : {&a.attention_normed, &a.middle}) take(*view, Shape<2>{rows, c.dim});
  for (View<real, 2>* view : {&a.query, &a.attended}) take(*view, Shape<2>{rows, queries});
  for (View<real, 2>* view : {&a.key, &a.value}) take(*view, Shape<2>{rows, keys});
  for (View<real, 2>* view : {&a.gate, &a.up}) take(*view, Shape<2>{rows, c.hidden_dim});
  take(a.log_sum_exp, Shape<2>{rows, c.heads});
  a.feed_forward_normed = a.attention_normed, a.gated = a.gate;
  if (keep == Keep::one_layer) return;
  take(a.feed_forward_normed, Shape<2>{rows, c.dim});
  take(a.gated, Shape<2>{rows, c.hidden_dim});
}

size_t layer_size(const LlamaConfig& config, size_t rows, Keep keep) {
  size_t size = 0;
  LayerActivations none;
  lay_out(config, rows, keep, none, [&](auto&, auto shape) { size += element_count(shape); });
  return size;
}

size_t rounded_size(const LlamaConfig& c, size_t rows, Keep keep) {
  return keep == Keep::all_layers ? 0 : RoundedRows::size(rows, std::max({c.dim, c.heads * c.head_dim, c.hidden_dim}));
}

size_t scratch_size(const LlamaConfig& c, size_t keys, CacheType cache) {
  return stored_attention_scratch_size(cache, keys, c.heads, c.head_dim);
}

}  // namespace

LayerActivations LayerActivations::first_rows(size_t n) const {
  LayerActivations part = *this;
  const auto cut = [n](auto&... views) { ((views = views.rows(0, n)), ...); };
  cut(part.input, part.attention_inverse_rms, part.attention_normed, part.query, part.key, part.value, part.log_sum_exp,
      part.attended, part.middle, part.feed_forward_inverse_rms, part.feed_forward_normed, part.gate, part.up,
      part.gated, part.output);
  return part;
}

size_t LlamaActivations::bytes_per_row(const LlamaConfig& c) {
  const size_t layer = layer_size(c, 1, Keep::one_layer) + rounded_size(c, 1, Keep::one_layer);
  return (layer + 2 * c.dim + c.head_dim + 1) * sizeof(real);
}

size_t LlamaActivations::bytes(const LlamaConfig& c, size_t sequences, size_t positions_each, size_t keys, Keep keep,
                               size_t threads, CacheType cache) {
  const size_t rows = sequences * positions_each, layers = keep == Keep::all_layers ? c.layers : 1;
  const size_t streams = keep == Keep::all_layers ? c.layers + 1 : 1;
  return sizeof(real) * (layers * layer_size(c, rows, keep) + (streams + 1) * rows * c.dim + rows * (c.head_dim + 1) +
                         threads * scratch_size(c, keys, cache) + rounded_size(c, rows, keep));
}

LlamaActivations::LlamaActivations(const LlamaConfig& c, size_t sequences, size_t positions_each, size_t keys,
                                   Keep keep, size_t threads, CacheType cache)
    : positions(sequences * positions_each),
      frequencies(c.head_dim / 2),
      arena_(bytes(c, sequences, positions_each, keys, keep, threads, cache) / sizeof(real)),
      layers_(c.layers) {
  const size_t rows = positions.size(), half = c.head_dim / 2;
  const bool all = keep == Keep::all_layers;
  const size_t distinct = all ? c.layers : 1;
  const auto take = [&](auto& view, auto shape) { view = arena_.take(shape); };
  View<real, 2> stream = arena_.take(Shape<2>{rows, c.dim});
  for (size_t i = 0; i < c.layers; ++i) {
    LayerActivations& layer = layers_[i];
    if (i < distinct) {
      lay_out(c, rows, keep, layer, take);
    } else {
      layer = layers_[0];
    }
    layer.input = stream;
    if (all) stream = arena_.take(Shape<2>{rows, c.dim});
    layer.output = stream;
  }
  take(normed, Shape<2>{rows, c.dim});
  take(inverse_rms, Shape<1>{rows});
  take(angles.cosine, Shape<2>{rows, half});
  take(angles.sine, Shape<2>{rows, half});
  take(scratch_, Shape<2>{threads, scratch_size(c, keys, cache)});
  take(rounded_, Shape<1>{rounded_size(c, rows, keep)});
  rope_inverse_frequencies(c.rope_theta, frequencies);
  rope_scale_frequencies(c.rope_scaling, frequencies);
}

BackwardTensors BackwardTensors::first_rows(size_t n) const {
  BackwardTensors part = *this;
  for (View<real, 2>* view : {&part.d_hidden, &part.d_normed, &part.d_query, &part.d_key, &part.d_value,
                              &part.d_attended, &part.d_gate, &part.d_up, &part.d_gated})
    *view = view->rows(0, n);
  return part;
}

size_t LlamaBackwardBuffers::bytes(const LlamaConfig& c, size_t rows) {
  return rows * (2 * c.dim + (2 * c.heads + 2 * c.kv_heads) * c.head_dim + 3 * c.hidden_dim) * sizeof(real);
}

LlamaBackwardBuffers::LlamaBackwardBuffers(const LlamaConfig& c, size_t rows) : arena(bytes(c, rows) / sizeof(real)) {
  BackwardTensors& t = tensors;
  for (View<real, 2>* view : {&t.d_hidden, &t.d_normed}) *view = arena.take(Shape<2>{rows, c.dim});
  for (View<real, 2>* view : {&t.d_query, &t.d_attended}) *view = arena.take(Shape<2>{rows, c.heads * c.head_dim});
  for (View<real, 2>* view : {&t.d_key, &t.d_value}) *view = arena.take(Shape<2>{rows, c.kv_heads * c.head_dim});
  for (View<real, 2>* view : {&t.d_gate, &t.d_up, &t.d_gated}) *view = arena.take(Shape<2>{rows, c.hidden_dim});
}

}  // namespace cria
