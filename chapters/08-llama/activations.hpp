// What a forward pass writes: every tensor between the tokens and the logits, at fixed places in one arena.
//
// Training keeps all layers apart, because backward needs them. Otherwise all layers share one place, and a forward
// pass needs little more memory than its widest layer.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "chapters/04-rope/rope.hpp"
#include "chapters/08-llama/config.hpp"
#include "lib/base/arena.hpp"
#include "lib/tensor/stored_heads.hpp"

namespace cria {

enum class Keep { one_layer, all_layers };

struct LayerActivations {
  View<real, 2> input;                     // (N, C) the residual stream on entry
  View<real, 1> attention_inverse_rms;     // (N)
  View<real, 2> attention_normed;          // (N, C)
  View<real, 2> query, key, value;         // (N, H*Dh), (N, G*Dh), (N, G*Dh); query and key after RoPE
  View<real, 2> log_sum_exp;               // (N, H)
  View<real, 2> attended;                  // (N, H*Dh)
  View<real, 2> middle;                    // (N, C) the residual stream after attention
  View<real, 1> feed_forward_inverse_rms;  // (N)
  View<real, 2> feed_forward_normed;       // (N, C)
  View<real, 2> gate, up, gated;           // (N, F)
  View<real, 2> output;                    // (N, C) the next layer's input

  LayerActivations first_rows(size_t n) const;
};

/// Room for N = sequences * positions rows. A forward pass may use fewer positions than there is room for.
class LlamaActivations {
 public:
  /// `keys` is the longest stretch that a query can see: the positions, or the capacity of a cache of type `cache`.
  /// `threads` is the size of the team that will share a pass.
  LlamaActivations(const LlamaConfig& config, size_t sequences, size_t positions, size_t keys, Keep keep,
                   size_t threads = 1, CacheType cache = CacheType::f32);

  /// What the constructor of the same arguments would allocate.
  static size_t bytes(const LlamaConfig& config, size_t sequences, size_t positions_each, size_t keys, Keep keep,
                      size_t threads = 1, CacheType cache = CacheType::f32);
  /// What a row takes with Keep::one_layer.
  static size_t bytes_per_row(const LlamaConfig& config);

  size_t rows() const { return normed.shape(0); }
  const LayerActivations& layer(size_t i) const { return layers_[i]; }
  const LayerActivations& last_layer() const { return layers_.back(); }
  size_t bytes() const { return arena_.capacity() * sizeof(real); }

  /// Attention's scratch memory for one thread of the team.
  std::span<real> scratch(size_t rank) const { return scratch_[rank].span(); }
  /// Memory for rows of any width in a layer, rounded to 8 bits; none with Keep::all_layers.
  std::span<real> rounded() const { return rounded_.span(); }

  std::vector<std::int32_t> positions;  // (N) where each row stands in its sequence
  std::vector<double> frequencies;      // (Dh/2) RoPE's
  RopeAngles angles;                    // (N, Dh/2) each
  View<real, 1> inverse_rms;            // (N) of the last norm
  View<real, 2> normed;                 // (N, C) what the head reads

 private:
  Arena<real> arena_;
  View<real, 2> scratch_;  // (threads, of attention over so many keys)
  View<real, 1> rounded_;
  std::vector<LayerActivations> layers_;
};

/// What backward writes on its way; the same places serve every layer.
struct BackwardTensors {
  View<real, 2> d_hidden;                 // (N, C) of the residual stream, from the last layer down to the embedding
  View<real, 2> d_normed;                 // (N, C)
  View<real, 2> d_query, d_key, d_value;  // (N, H*Dh), (N, G*Dh), (N, G*Dh)
  View<real, 2> d_attended;               // (N, H*Dh)
  View<real, 2> d_gate, d_up, d_gated;    // (N, F)

  BackwardTensors first_rows(size_t n) const;
};

struct LlamaBackwardBuffers {
  LlamaBackwardBuffers(const LlamaConfig& config, size_t rows);
  static size_t bytes(const LlamaConfig& config, size_t rows);  // that it allocates

  Arena<real> arena;
  BackwardTensors tensors;
};

}  // namespace cria
