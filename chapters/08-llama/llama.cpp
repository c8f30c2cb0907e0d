// Chapter 08, the model: embedding, layers, last norm, head; and the exact reverse. It leaves out sampling (chapter
// 09), the loss (10), data and checkpoints (11).
#include "chapters/08-llama/llama.hpp"

#include "chapters/02-linear/linear.hpp"
#include "chapters/03-rmsnorm/rmsnorm.hpp"
#include "chapters/08-llama/block.hpp"
#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

RopeAngles rows_of(const RopeAngles& angles, Range rows) { return {angles.cosine.rows(rows), angles.sine.rows(rows)}; }

/// Where the rows of a pass of stretches stand: each in its own sequence.
void place_stretches(std::span<const Stretch> stretches, const AttentionCache& cache, Range rows,
                     std::span<std::int32_t> positions) {
  size_t n = 0;
  for (const Stretch& stretch : stretches)
    for (size_t t = 0; t < stretch.positions; ++t, ++n)
      if (rows.contains(n)) positions[n - rows.begin] = static_cast<std::int32_t>(cache.length(stretch.sequence) + t);
}

void require_stretches(const LlamaInput& input, const AttentionCache* cache) {
  size_t positions = 0;
  for (const Stretch& stretch : input.stretches) positions += stretch.positions;
  require(cache && input.first_key.empty() && input.tokens.shape(0) == 1 && positions == input.tokens.shape(1),
          "llama_forward", "stretches need a cache, no first_key, and as many tokens (1, N) as they have positions");
}

/// Whether a layer has anything whose gradient is asked for: views to put it in, or additions, which keep their own.
bool learns(const LayerWeights& w, const LayerTensors<real>& d) {
  const auto empty = [](const auto&... views) { return (views.empty() && ...); };
  const auto plain = [](const auto&... weights) { return (!weights.has_addition() && ...); };
  return w.addition || !plain(w.query, w.key, w.value, w.output, w.gate, w.up, w.down) ||
         !empty(d.attention_norm, d.query, d.key, d.value, d.output, d.feed_forward_norm, d.gate, d.up, d.down);
}

/// The layer below which nothing learns, so that no gradient need go there: the first, if the embedding learns.
size_t lowest_that_learns(const LlamaTensors<const real, Weight>& w, const LlamaTensors<real>& d) {
  if (!d.embedding.empty()) return 0;
  size_t lowest = 0;
  while (lowest < w.layers.size() && !learns(w.layers[lowest], d.layers[lowest])) ++lowest;
  return lowest;
}

/// Rows of the embedding, of the tokens that this process has; the others' are zeros.
void embed(const LlamaWeights& weights, View<const std::int32_t, 1> tokens, View<real, 2> out) {
  if (!weights.shards) return embedding_forward(tokens, weights.tensors.embedding, out);
  const Range own = weights.shards->embedded();
  noalias(out) = 0;
  for (size_t n = 0; n < tokens.size(); ++n) {
    require(Range{0, weights.shards->vocabulary_size()}.contains(tokens[n]), "llama_forward",
            "a token is not in the vocabulary");
    const std::int32_t row = tokens[n] - std::int32_t(own.begin);
    if (own.contains(tokens[n])) embedding_forward({&row, {1}}, weights.tensors.embedding, out.rows(n, n + 1));
  }
}

void embed_backward(const LlamaWeights& weights, View<const real, 2> d_out, View<const std::int32_t, 1> tokens,
                    View<real, 2> d_table) {
  if (!weights.shards || d_table.empty()) return embedding_backward(d_out, tokens, d_table);
  const Range own = weights.shards->embedded();
  for (size_t n = 0; n < tokens.size(); ++n) {
    const std::int32_t row = tokens[n] - std::int32_t(own.begin);
    if (own.contains(tokens[n])) embedding_backward(d_out.rows(n, n + 1), {&row, {1}}, d_table);
  }
}

}  // namespace

void llama_forward(const LlamaWeights& weights, LlamaInput input, LlamaActivations& activations, AttentionCache* cache,
                   const Team& team) {
  const LlamaConfig& config = weights.config;
  const auto& w = weights.tensors;
  const size_t B = input.tokens.shape(0), T = input.tokens.shape(1), N = B * T;
  require(N > 0 && N <= activations.rows(), "llama_forward",
          "the activations have room for fewer rows than there are tokens");
  require(input.first_key.empty() || input.first_key.size() == N, "llama_forward",
          "first_key needs one entry for each token");
  if (!input.stretches.empty()) require_stretches(input, cache);
  const Range rows = team.share(N);
  // solution: llama_forward
  const auto positions = std::span(activations.positions).subspan(rows.begin, rows.size());
  for (size_t n = rows.begin; n < rows.end; ++n)
    positions[n - rows.begin] = static_cast<std::int32_t>((cache ? cache->length(n / T) : 0) + n % T);
  if (!input.stretches.empty()) place_stretches(input.stretches, *cache, rows, positions);
  rope_angles(positions, activations.frequencies, rows_of(activations.angles, rows));
  embed(weights, input.tokens.flat().rows(rows), activations.layer(0).input.rows(rows));

  const RopeAngles angles = rows_of(activations.angles, {0, N});
  const BlockContext context{.config = config,
                             .sequences = B,
                             .positions = T,
                             .angles = angles,
                             .first_key = input.first_key,
                             .scratch = activations.scratch(team.rank()),
                             .cache = cache,
                             .team = team,
                             .rounded = activations.rounded(),
                             .stretches = input.stretches,
                             .shards = weights.shards};
  context.with_shards([&](Shards& shards) { shards.enter(activations.layer(0).input.rows(0, N)); });
  for (size_t i = 0; i < config.layers; ++i) block_forward(context, i, w.layers[i], activations.layer(i).first_rows(N));
  context.with_shards([&](Shards& shards) { shards.leave(activations.last_layer().output.rows(0, N)); });
  if (cache && team.first())  // no other thread reads it any more in this pass
    for_each_stretch(context, [&](size_t, Stretch stretch) { cache->advance(stretch.positions, stretch.sequence); });
  rmsnorm_forward(activations.last_layer().output.rows(rows), w.norm, static_cast<real>(config.norm_eps),
                  activations.normed.rows(rows), activations.inverse_rms.rows(rows));
  team.wait();
  // end of solution
}

void llama_logits(const LlamaWeights& weights, View<const real, 2> normed, View<real, 2> logits, const Team& team,
                  Rows rows) {
  Shards* shards = weights.shards;
  const View<real, 2> own = shards ? logits.columns(shards->predicted()) : logits;
  const Range columns = team.share(own.shape(1), 16);
  if (!columns.empty()) linear_forward(normed, weights.tensors.head.rows(columns), own.columns(columns), {}, rows);
  if (shards) team.wait();
  if (shards && team.first()) shards->complete_logits(logits);
}

void llama_backward(const LlamaWeights& weights, LlamaInput input, const LlamaActivations& activations,
                    View<const real, 2> d_logits, LlamaBackwardBuffers& buffers, const LlamaTensors<real>& d) {
  const LlamaConfig& config = weights.config;
  const auto& w = weights.tensors;
  const size_t B = input.tokens.shape(0), T = input.tokens.shape(1), N = B * T;
  require(N > 0 && N <= activations.rows(), "llama_backward", "the activations are not those of this input");
  require_shape("llama_backward: d_logits", d_logits, Shape<2>{N, w.head.shape(0)});
  const size_t lowest = lowest_that_learns(w, d);
  // solution: llama_backward
  const BackwardTensors b = buffers.tensors.first_rows(N);
  const RopeAngles angles = rows_of(activations.angles, {0, N});
  const std::span<real> scratch = activations.scratch(0);
  const BlockContext context{.config = config,
                             .sequences = B,
                             .positions = T,
                             .angles = angles,
                             .first_key = input.first_key,
                             .scratch = scratch,
                             .shards = weights.shards};
  noalias(b.d_normed) = 0;
  noalias(b.d_hidden) = 0;
  // logits = normed headᵀ
  linear_backward(d_logits, activations.normed.rows(0, N), w.head, b.d_normed, d.head);
  context.complete(b.d_normed);
  // normed = rmsnorm(hidden)
  rmsnorm_backward(b.d_normed, activations.last_layer().output.rows(0, N), w.norm, activations.inverse_rms.rows(0, N),
                   b.d_hidden, d.norm);
  for (size_t i = config.layers; i-- > lowest;) {
    block_backward(context, w.layers[i], activations.layer(i).first_rows(N), b, d.layers[i]);
    if (d.layer_formed) d.layer_formed(i);
  }
  // hidden = embedding[tokens]; a tied embedding is also the head, and collects both gradients
  embed_backward(weights, b.d_hidden, input.tokens.flat(), d.embedding);
  // end of solution
}

}  // namespace cria
