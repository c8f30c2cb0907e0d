// Chapter 08: the components of chapters 02 to 07 wired into a Llama (Touvron et al. 2023, arXiv:2302.13971; Llama 2,
// arXiv:2307.09288; Llama 3, arXiv:2407.21783). The wiring exists once: training, prefill and decoding all run it.
#pragma once

#include <cstdint>
#include <span>

#include "chapters/06-kv-cache/attention_cache.hpp"
#include "chapters/06-kv-cache/kv_cache.hpp"
#include "chapters/08-llama/activations.hpp"
#include "chapters/08-llama/parameters.hpp"
#include "lib/base/team.hpp"

namespace cria {

/// Some positions of a sequence of the cache, which follow those that it holds.
struct Stretch {
  size_t sequence = 0, positions = 0;
};

struct LlamaInput {
  View<const std::int32_t, 2> tokens;            // (B, T)
  std::span<const std::int32_t> first_key = {};  // (B*T) the first position each row may attend to, for documents
                                                 // packed into one sequence (Llama 3, section 3.2); empty: all from 0
  std::span<const Stretch> stretches = {};       // with a cache: tokens (1, N) are these, one after the other
};

/// Writes everything up to activations.normed, whose rows the head turns into logits. With a cache, the tokens continue
/// what it holds, sequence b of the batch in its sequence b, and are added to it. Throws ContractError when a token is
/// not in the vocabulary or the activations have too few rows.
///
/// A team calls it on every thread with the same arguments, and the activations made for that many; each thread returns
/// when all is written. The result has the same bits for a team of any size, and with one token for each sequence those
/// of each sequence alone.
///
/// With stretches, which are of different sequences, of several tokens as well: each row has the bits of a pass over
/// that token alone after those before it. So a text may be read in any pieces, beside any others. What it costs is
/// speed with weights that are not in blocks, and in attention (docs/decisions/0017).
void llama_forward(const LlamaWeights& weights, LlamaInput input, LlamaActivations& activations,
                   AttentionCache* cache = nullptr, const Team& team = {});

/// logits = normed headᵀ, for as many rows as are asked for: training wants all, sampling the last one. Each thread of
/// a team writes its share of the columns and returns without waiting for the others. With Rows::apart each row has the
/// bits that it has alone, as llama_forward gives them to sequences of one position each.
void llama_logits(const LlamaWeights& weights, View<const real, 2> normed,  // (N, C)
                  View<real, 2> logits,                                     // (N, V)
                  const Team& team = {}, Rows rows = Rows::together);

/// gradients += the gradient of any loss whose gradient by the logits is d_logits. Where a view is empty the weight is
/// not to learn, and its gradient is not formed; those of additions to weights go where these keep them. The
/// activations must be those of a forward pass of the same input, without cache and with all layers kept.
void llama_backward(const LlamaWeights& weights, LlamaInput input, const LlamaActivations& activations,
                    View<const real, 2> d_logits,  // (B*T, V), or as wide as the head has rows
                    LlamaBackwardBuffers& buffers, const LlamaTensors<real>& gradients);

}  // namespace cria
