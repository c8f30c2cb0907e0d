// PairMap<Value>: from a pair of token ids to a value; and PairFilter, which says quickly that a pair is in no map.
// Open addressing with linear probing, at most two thirds full.
//
// Training counts pairs with it, encoding looks up which pairs merge. Nothing is ever removed.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "chapters/01-bpe/bpe_model.hpp"

namespace cria {

inline std::uint64_t hash_of(TokenId left, TokenId right) {
  const std::uint64_t key = static_cast<std::uint64_t>(left) << 32 | static_cast<std::uint32_t>(right);
  const std::uint64_t hash = key * 0x9E3779B97F4A7C15u;
  return hash ^ hash >> 32;
}

/// Whether a pair may be in a map: one bit for each hash, in a sixteenth of the map's memory. Most neighbours do not
/// merge, and that answer then comes from a nearer cache.
class PairFilter {
 public:
  explicit PairFilter(std::size_t expected = 8) : words_(std::bit_ceil(8 * expected + 64) / 64) {}
  void insert(TokenId left, TokenId right) {
    const std::uint64_t hash = hash_of(left, right);
    words_[word_of(hash)] |= std::uint64_t{1} << (hash & 63);
  }
  bool may_contain(TokenId left, TokenId right) const {
    const std::uint64_t hash = hash_of(left, right);
    return words_[word_of(hash)] >> (hash & 63) & 1;
  }

 private:
  std::size_t word_of(std::uint64_t hash) const { return (hash >> 6) & (words_.size() - 1); }
  std::vector<std::uint64_t> words_;
};

template <class Value>
class PairMap {
 public:
  explicit PairMap(std::size_t expected = 8) : slots_(std::bit_ceil(expected + expected / 2 + 2)) {}

  /// Null where the pair is absent.
  const Value* find(TokenId left, TokenId right) const {
    const Slot& slot = slots_[slot_of(left, right)];
    return slot.left < 0 ? nullptr : &slot.value;
  }

  /// The pair's value; if the pair is new, `value` becomes it. The reference holds until the next call.
  Value& find_or_insert(TokenId left, TokenId right, const Value& value) {
    if (3 * (size_ + 1) > 2 * slots_.size()) grow();
    Slot& slot = slots_[slot_of(left, right)];
    if (slot.left < 0) slot = {left, right, value}, ++size_;
    return slot.value;
  }

 private:
  struct Slot {
    TokenId left = -1;  // negative marks a free slot
    TokenId right = -1;
    Value value{};
  };

  std::size_t slot_of(TokenId left, TokenId right) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t i = hash_of(left, right) & mask;
    while (slots_[i].left >= 0 && (slots_[i].left != left || slots_[i].right != right)) i = (i + 1) & mask;
    return i;
  }

  void grow() {
    std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(2 * slots_.size()));
    for (const Slot& slot : old)
      if (slot.left >= 0) slots_[slot_of(slot.left, slot.right)] = slot;
  }

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace cria
