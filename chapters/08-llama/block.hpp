// One decoder layer: attention and feed-forward, each with its norm in front and the residual stream around it.
#pragma once

#include "chapters/08-llama/llama.hpp"

namespace cria {

/// What all layers of one pass share.
struct BlockContext {
  const LlamaConfig& config;
  size_t sequences, positions;  // B, T
  RopeAngles angles;            // (N, Dh/2) each
  std::span<const std::int32_t> first_key;
  std::span<real> scratch;
  AttentionCache* cache = nullptr;
  Team team = {};
  std::span<real> rounded = {};  // memory that the team shares, for what its products read
  std::span<const Stretch> stretches = {};
  Shards* shards = nullptr;      // of a divided model

  /// By one thread of the team, when all have come; none goes on before.
  template <class Do>
  void with_shards(Do&& act) const {
    if (!shards) return;
    team.wait();
    if (team.first()) act(*shards);
    team.wait();
  }
  /// Of a divided model, x is this process's part of a sum; then it is the sum.
  void complete(View<real, 2> x) const {
    with_shards([&](Shards& all) { all.complete(x); });
  }
};

/// use(row, stretch) for each stretch of the pass, which begins in that row; otherwise for each sequence as one.
template <class Use>
void for_each_stretch(const BlockContext& c, Use use) {
  size_t row = 0;
  for (const Stretch& stretch : c.stretches) {
    use(row, stretch);
    row += stretch.positions;
  }
  if (c.stretches.empty())
    for (size_t b = 0; b < c.sequences; ++b) use(b * c.positions, Stretch{b, c.positions});
}

/// a.output = block(a.input); fills the rest of `a` on the way. Called by every thread of a team, each of which returns
/// when all of a.output is there.
void block_forward(const BlockContext& context, size_t layer, const LayerWeights& weights, const LayerActivations& a);

/// Turns buffers.d_hidden from the gradient of a.output into that of a.input; `gradients` accumulates the weights',
/// but for those that are not to learn: their views are empty.
void block_backward(const BlockContext& context, const LayerWeights& weights, const LayerActivations& a,
                    const BackwardTensors& buffers, const LayerTensors<real>& gradients);

}  // namespace cria
