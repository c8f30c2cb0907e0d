// LlamaConfig: the numbers that make one Llama different from another.
#pragma once

#include <cstddef>
#include <string>

#include "chapters/04-rope/rope.hpp"

namespace cria {

struct LlamaConfig {
  size_t vocabulary_size = 512;  // V
  size_t dim = 64;               // C, the width of the residual stream
  size_t hidden_dim = 172;       // F, the width inside the feed-forward
  size_t layers = 5;             // L
  size_t heads = 8;              // H
  size_t kv_heads = 4;           // G; H / G query heads share one key and value head
  size_t head_dim = 8;           // Dh; usually C / H, but any even number works
  size_t context = 512;          // the longest sequence it is trained for
  double norm_eps = 1e-5;
  double rope_theta = 10000;
  RopeScaling rope_scaling = {};
  RopePairing rope_pairing = RopePairing::half_split;
  bool tied_embeddings = true;  // the output head is the embedding table itself

  bool operator==(const LlamaConfig&) const = default;

  /// Throws UserError with one line when no model can have these numbers, or when they are so large that what is
  /// computed from them might overflow.
  void validate() const;
};

/// Floating-point operations for one token of a forward pass that sees `keys` positions: two for each weight of a
/// matrix product, and in each layer 4·H·Dh for each position in attention (Kaplan et al. 2020, arXiv:2001.08361,
/// section 2.1).
double forward_operations_per_token(const LlamaConfig& config, double keys);

/// The same for a whole prompt: each token sees itself and those before it, and logits are formed for the last one only.
double prompt_operations(const LlamaConfig& config, size_t tokens);

/// For one token of training, forward and backward, in sequences of T positions. On average it sees (T + 1) / 2 of them,
/// and backward takes twice as many operations as forward: a product for each of the two gradients (Kaplan et al. 2020,
/// section 2.1). Without attention's part, and with all weights in products, these are the 6 N of 6 N D.
double training_operations_per_token(const LlamaConfig& config, size_t positions);

}  // namespace cria
