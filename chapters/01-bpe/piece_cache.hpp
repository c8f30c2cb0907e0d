// PieceCache: the tokens of the pieces that were met lately. Few words make up most of a text, and their tokens then
// come from one line of memory, instead of from the megabytes of the vocabulary and its merges.
//
// Each piece has one entry where it may stand, and a newer piece takes the place of an older one. Left out: pieces of
// more than 16 bytes or 3 tokens.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "chapters/01-bpe/bpe_model.hpp"

namespace cria {

class PieceCache {
 public:
  /// For a text of so many bytes: a short one does not pay for a large cache. At most 512 KB.
  explicit PieceCache(std::size_t text_size)
      : entries_(std::bit_ceil(std::clamp<std::size_t>(text_size / 8, 1, 16384))) {}

  /// An entry for this piece: its tokens where count > 0, else free to be filled. Null for a piece that is too long.
  struct Entry {
    std::uint64_t head, tail;  // with the size they hold all bytes of the piece; they may overlap
    TokenId ids[3];
    std::uint16_t size;
    std::uint16_t count;
    std::span<const TokenId> tokens() const { return {ids, count}; }
  };
  Entry* entry(std::string_view piece) {
    const std::size_t size = piece.size();
    const char *first = piece.data(), *end = first + size;
    std::uint64_t head, tail;
    if (size > 16) return nullptr;
    if (size >= 8)
      head = load<std::uint64_t>(first), tail = load<std::uint64_t>(end - 8);
    else if (size >= 4)
      head = load<std::uint32_t>(first), tail = load<std::uint32_t>(end - 4);
    else if (size >= 2)
      head = load<std::uint16_t>(first), tail = load<std::uint16_t>(end - 2);
    else
      head = load<std::uint8_t>(first), tail = 0;

    std::uint64_t hash = (head ^ size) * 0x9E3779B97F4A7C15u;
    hash = (hash ^ hash >> 32 ^ tail) * 0xD6E8FEB86659FD93u;
    Entry& found = entries_[(hash >> 32) & (entries_.size() - 1)];
    if (found.head != head || found.tail != tail || found.size != size)
      found = {.head = head, .tail = tail, .ids = {}, .size = static_cast<std::uint16_t>(size), .count = 0};
    return &found;
  }

 private:
  template <class Word>
  static Word load(const char* from) {
    Word word;
    std::memcpy(&word, from, sizeof word);
    return word;
  }
  std::vector<Entry> entries_;
};

}  // namespace cria
