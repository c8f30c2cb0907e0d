// AttentionCache: what attention asks of a cache of keys and values, wherever it keeps them. KvCache gives each
// sequence a piece of memory of its own (kv_cache.hpp); chapter 22's shares blocks between sequences.
#pragma once

#include "lib/base/real.hpp"
#include "lib/base/view.hpp"
#include "lib/tensor/stored_heads.hpp"

namespace cria {

/// A pass over T new positions of a sequence calls append for each layer, attends over keys and values, and ends with
/// advance(T). Threads may each append and read heads of their own.
class AttentionCache {
 public:
  virtual ~AttentionCache() = default;

  /// Stores the keys (already rotated) and values of the next T positions of one layer, for the heads from `first_head`
  /// on.
  virtual void append(size_t layer, View<const real, 3> k,  // (T, heads, Dh)
                      View<const real, 3> v,                // (T, heads, Dh)
                      size_t sequence, size_t first_head) = 0;

  /// What the layer holds including the T positions that this pass has appended: (S, G, Dh).
  virtual StoredHeads keys(size_t layer, size_t sequence, size_t T) const = 0;
  virtual StoredHeads values(size_t layer, size_t sequence, size_t T) const = 0;

  /// Ends a pass in which every layer has appended T positions.
  virtual void advance(size_t T, size_t sequence) = 0;

  /// The position of the sequence's next token.
  virtual size_t length(size_t sequence) const = 0;
};

}  // namespace cria
