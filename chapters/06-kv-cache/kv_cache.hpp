// Chapter 06: the cache of keys and values, so that a new token costs one row of attention and not all rows again.
//
// It only stores, as `real` or in numbers of half and of a quarter the size; attention itself is chapter 05's, which
// sees the cache as k and v. It leaves out pages shared between sequences, which are chapter 22's: what one takes over
// from another is copied.
#pragma once

#include <span>
#include <vector>

#include "chapters/06-kv-cache/attention_cache.hpp"
#include "lib/base/arena.hpp"

namespace cria {

/// The keys and values of every layer for a number of independent sequences, in one block of memory made at the start.
///
/// A pass over T new positions calls append for each layer, attends over keys and values, and ends with advance(T).
/// Position p lies in row p % capacity: once more than `capacity` positions came, the newest overwrites the oldest, and
/// attention sees a sliding window. Rows are then out of order, which a query that sees all of them cannot tell, so
/// only single positions are appended then.
///
/// In a pass nothing changes but the rows that are written, so threads may each append and read heads of their own.
/// Wrong use (zero sizes, shapes, a layer or head out of range, a chunk that would wrap, heads that are no whole blocks
/// of the type) throws ContractError.
class KvCache : public AttentionCache {
 public:
  KvCache(size_t layers, size_t capacity, size_t kv_heads, size_t head_dim, size_t sequences = 1,
          CacheType type = CacheType::f32);

  /// Copies the keys (already rotated) and values of the next T positions of one layer, for all heads or for those from
  /// `first_head` on; the rows of k and v may be apart.
  void append(size_t layer, View<const real, 3> k,  // (T, heads, Dh)
              View<const real, 3> v,                // (T, heads, Dh)
              size_t sequence = 0, size_t first_head = 0) override;

  /// What the layer holds including the T positions that this pass has appended: (S, G, Dh),
  /// S = min(positions, capacity).
  StoredHeads keys(size_t layer, size_t sequence = 0, size_t T = 0) const override;
  StoredHeads values(size_t layer, size_t sequence = 0, size_t T = 0) const override;

  /// Ends a pass in which every layer has appended T positions.
  void advance(size_t T, size_t sequence = 0) override;

  /// Positions seen so far, which is also the position of the next token; it may exceed the capacity.
  size_t length(size_t sequence = 0) const override;

  /// Forgets all positions from `length` on. Overwritten positions cannot come back, so a sequence that has wrapped can
  /// only be truncated to nothing.
  void truncate(size_t length, size_t sequence = 0);
  void reset(size_t sequence = 0) { truncate(0, sequence); }

  /// Gives the sequence what one of another cache of the same layers, capacity, heads and type holds, or another of
  /// this one: texts that begin alike share what has been computed.
  void copy(const KvCache& from, size_t from_sequence, size_t sequence);

  size_t capacity() const { return keys_.shape(2); }
  CacheType type() const { return type_; }

  /// Memory of a cache: 2 · bytes of a number · head_dim · kv_heads · layers · capacity · sequences, the 2 for k and v.
  /// A number takes 4 bytes as float, 2 as f16, and 34 / 32 as q8_0.
  static size_t bytes(size_t layers, size_t capacity, size_t kv_heads, size_t head_dim, size_t sequences = 1,
                      CacheType type = CacheType::f32);
  size_t allocated_bytes() const { return memory_.span().size_bytes(); }

 private:
  void require_place(size_t layer, size_t sequence) const;
  void copy_rows(View<const real, 3> from, size_t position, View<std::uint8_t, 2> to, size_t first_head) const;
  StoredHeads filled(View<const std::uint8_t, 4> from, size_t layer, size_t sequence, size_t T) const;

  CacheType type_;
  size_t kv_heads_, head_dim_;
  Arena<std::uint8_t> memory_;
  View<std::uint8_t, 4> keys_, values_;  // (sequences, layers, capacity, bytes of G · Dh numbers)
  std::vector<size_t> lengths_;          // (sequences) positions of ended passes
};

}  // namespace cria
