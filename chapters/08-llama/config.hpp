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
/// matrix product, and 4·H·Dh for each position in attention. Backward takes twice as many (Kaplan et al. 2020,
/// section 2.1).
double forward_operations_per_token(const LlamaConfig& config, size_t keys);

}  // namespace cria
