// PagedCache: keys and values in blocks of a few positions, which texts take as they grow and share where they begin
// alike (Kwon et al. 2023, "Efficient Memory Management for Large Language Model Serving with PagedAttention",
// arXiv:2309.06180).
//
// A text has a table: block i of it holds its positions i · block_size to (i + 1) · block_size - 1. Attention sees the
// table (StoredHeads), so blocks may lie anywhere. It leaves out swapping blocks to slower memory: what is thrown out
// is computed again.
#pragma once

#include <span>
#include <vector>

#include "chapters/06-kv-cache/attention_cache.hpp"
#include "chapters/22-serving/block_pool.hpp"
#include "lib/base/arena.hpp"

namespace cria {

struct PagedCacheSize {
  size_t layers, kv_heads, head_dim;
  size_t blocks, block_size;  // how many, and of how many positions each
  size_t sequences;           // texts at the same time
  CacheType type = CacheType::f32;
};

/// Life of a text: begin, then for each pass reserve, the pass itself, and publish; release. Wrong use (a sequence that
/// is out of range, positions that are not reserved, shapes that do not fit) throws ContractError.
class PagedCache : public AttentionCache {
 public:
  explicit PagedCache(const PagedCacheSize& size);

  /// A sequence that holds nothing takes over the blocks of others that hold the beginning of these tokens. At least
  /// one token is left to be computed, as it is its row that gives logits. Returns how many positions it has now.
  size_t begin(size_t sequence, std::span<const TokenId> tokens);

  /// Blocks that reserve(sequence, T) would take from those that are unused.
  size_t blocks_for(size_t sequence, size_t T) const;
  /// Whether its next position lies in a block that others read.
  bool must_copy(size_t sequence) const;
  /// Makes room for the next T positions. A block that others read is not written: it is copied before (copy on write).
  /// Nor can one be found any more that will be written. False, with nothing changed, if there are not enough unused
  /// blocks.
  bool reserve(size_t sequence, size_t T);

  /// Blocks that are full by now can be found by others. `tokens` are the sequence's.
  void publish(size_t sequence, std::span<const TokenId> tokens);

  /// Forgets all positions from `length` on, and blocks that are not needed any more.
  void truncate(size_t sequence, size_t length);
  /// Forgets everything. What has been published can still be found, for as long as no other text needs the blocks.
  void release(size_t sequence) { truncate(sequence, 0); }

  void append(size_t layer, View<const real, 3> k, View<const real, 3> v, size_t sequence, size_t first_head) override;
  StoredHeads keys(size_t layer, size_t sequence, size_t T) const override;
  StoredHeads values(size_t layer, size_t sequence, size_t T) const override;
  void advance(size_t T, size_t sequence) override;
  size_t length(size_t sequence) const override { return at(sequence).length; }

  std::span<const BlockId> table(size_t sequence) const { return at(sequence).table; }
  const BlockPool& pool() const { return pool_; }
  size_t block_size() const { return size_.block_size; }

  /// 2 · bytes of a number · head_dim · kv_heads · layers · block_size · blocks, as of a KvCache of so many positions.
  static size_t bytes(const PagedCacheSize& size);

 private:
  struct Sequence {
    std::vector<BlockId> table;
    size_t length = 0;
    std::vector<BlockName> names;  // of the blocks that are published, in the order of the table
  };

  const Sequence& at(size_t sequence) const;
  Sequence& at(size_t sequence) { return const_cast<Sequence&>(std::as_const(*this).at(sequence)); }
  BlockId copied(BlockId block, size_t rows);
  void store(View<const real, 3> from, const Sequence& s, View<std::uint8_t, 2> to, size_t first_head) const;
  StoredHeads filled(View<const std::uint8_t, 3> from, size_t layer, size_t sequence, size_t T) const;

  PagedCacheSize size_;
  BlockPool pool_;
  Arena<std::uint8_t> memory_;
  View<std::uint8_t, 3> keys_, values_;  // (layers, blocks * block_size, bytes of G · Dh numbers)
  std::vector<Sequence> sequences_;
};

}  // namespace cria
