// PieceCache: the tokens of the pieces that were met lately. Few words make up most of a text, and their tokens then
// come from one line of memory, instead of from the megabytes of the vocabulary and its merges.
//
// Each piece has one entry where it may stand, and a newer piece takes the place of an older one. A cache holds either
// the pieces of up to 16 bytes, or the longer ones up to 32, so that the entries of the short and frequent ones stay
// small.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "chapters/01-bpe/bpe_model.hpp"

namespace cria {

/// Holds pieces of 8 * (words - 2) + 1 to 8 * words bytes (words is 2 or 4) that are at most `tokens` tokens.
template <std::size_t words, std::size_t tokens>
class PieceCache {
 public:
  static constexpr std::size_t longest_piece = 8 * words;

  /// Rounds up to a power of two.
  explicit PieceCache(std::size_t entries) : entries_(std::bit_ceil(std::max<std::size_t>(entries, 1))) {}

  /// The entry for this piece: its tokens where count > 0, else free to be filled.
  struct Entry {
    std::array<std::uint64_t, words> bytes;  // with the size they hold all bytes of the piece; they may overlap
    TokenId ids[tokens];
    std::uint16_t size;
    std::uint16_t count;
  };
  Entry& entry(std::string_view piece) {
    const std::size_t size = piece.size();
    const char *first = piece.data(), *end = first + size;
    std::array<std::uint64_t, words> bytes{};
    if constexpr (words == 4)
      bytes = {load<std::uint64_t>(first), load<std::uint64_t>(first + 8), load<std::uint64_t>(end - 16),
               load<std::uint64_t>(end - 8)};
    else if (size >= 8)
      bytes = {load<std::uint64_t>(first), load<std::uint64_t>(end - 8)};
    else if (size >= 4)
      bytes = {load<std::uint32_t>(first), load<std::uint32_t>(end - 4)};
    else if (size >= 2)
      bytes = {load<std::uint16_t>(first), load<std::uint16_t>(end - 2)};
    else
      bytes = {load<std::uint8_t>(first)};

    std::uint64_t hash = size;
    for (std::uint64_t word : bytes) hash = (hash ^ hash >> 32 ^ word) * 0x9E3779B97F4A7C15u;
    Entry& found = entries_[(hash >> 32) & (entries_.size() - 1)];
    if (found.size != size || found.bytes != bytes)
      found = {.bytes = bytes, .ids = {}, .size = static_cast<std::uint16_t>(size), .count = 0};
    return found;
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
