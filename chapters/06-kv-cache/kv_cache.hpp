// Chapter 06: the cache of keys and values, so that a new token costs one row of attention and not all rows again.
//
// It only stores; attention itself is chapter 05's, which sees the cache as k and v. It leaves out types smaller than
// `real`, and pages shared between sequences.
#pragma once

#include <span>
#include <vector>

#include "lib/base/arena.hpp"
#include "lib/base/real.hpp"
#include "lib/base/view.hpp"

namespace cria {

/// The keys and values of every layer for a number of independent sequences, in one block of memory made at the start.
///
/// A pass over T new positions calls append once for each layer, then advance(T). Position p lies in row p % capacity:
/// once more than `capacity` positions came, the newest overwrites the oldest, and attention sees a sliding window.
/// Rows are then out of order, which a query that sees all of them cannot tell, so only single positions are appended
/// then.
///
/// Wrong use (zero sizes, shapes, a layer left out or out of range, a chunk that would wrap) throws ContractError.
class KvCache {
 public:
  KvCache(size_t layers, size_t capacity, size_t kv_heads, size_t head_dim, size_t sequences = 1);

  /// Copies the keys (already rotated) and values of the next T positions of one layer; the rows of k and v may be
  /// apart.
  void append(size_t layer, View<const real, 3> k,  // (T, G, Dh)
              View<const real, 3> v,                // (T, G, Dh)
              size_t sequence = 0);

  /// What the layer holds, the rows appended in this pass included: (S, G, Dh), S = min(positions, capacity).
  View<const real, 3> keys(size_t layer, size_t sequence = 0) const;
  View<const real, 3> values(size_t layer, size_t sequence = 0) const;

  /// Ends a pass: every layer must have appended T positions since the last one.
  void advance(size_t T, size_t sequence = 0);

  /// Positions seen so far, which is also the position of the next token; it may exceed the capacity.
  size_t length(size_t sequence = 0) const;

  /// Forgets all positions from `length` on, and passes that were not ended. Overwritten positions cannot come back, so
  /// a sequence that has wrapped can only be truncated to nothing.
  void truncate(size_t length, size_t sequence = 0);
  void reset(size_t sequence = 0) { truncate(0, sequence); }

  size_t capacity() const { return keys_.shape(2); }

  /// Memory of a cache: 2 · bytes of a number · head_dim · kv_heads · layers · capacity · sequences, the 2 for k and v.
  static size_t bytes(size_t layers, size_t capacity, size_t kv_heads, size_t head_dim, size_t sequences = 1);
  size_t allocated_bytes() const { return memory_.span().size_bytes(); }

 private:
  size_t counter(size_t layer, size_t sequence) const;  // index into appended_
  View<const real, 3> filled(View<const real, 5> from, size_t layer, size_t sequence) const;

  Arena<real> memory_;
  View<real, 5> keys_, values_;   // (sequences, layers, capacity, G, Dh)
  std::vector<size_t> lengths_;   // (sequences) positions of ended passes
  std::vector<size_t> appended_;  // (sequences, layers) positions appended to each layer
};

}  // namespace cria
