// Codes of 2 to 8 bits, packed into a tensor of 32-bit words.
//
// The codes of a row or column follow each other from the low bits of each word to the high ones, as one stream of
// bits: 32 codes of 3 bits take 3 words, and some of them begin in one word and end in the next.
#pragma once

#include <cstring>

#include "lib/base/check.hpp"
#include "lib/formats/tensor_table.hpp"

namespace cria {

/// Words that so many codes take.
inline size_t packed_words(size_t codes, size_t bits) { return (codes * bits + 31) / 32; }

class PackedCodes {
 public:
  /// Of a matrix of words, which has to outlive this.
  PackedCodes(const StoredTensor& words, size_t bits) : words_(words.bytes.data()), bits_(bits) {
    require(words.type == ElementType::i32 && words.shape.size() == 2, "PackedCodes", "expected a matrix of I32");
    columns_ = words.shape[1];
  }

  /// Code i of the stream along a row.
  std::uint32_t along(size_t row, size_t i) const { return code(row * columns_, 1, i); }
  /// Code i of the stream down a column.
  std::uint32_t down(size_t column, size_t i) const { return code(column, columns_, i); }

 private:
  std::uint32_t code(size_t first, size_t stride, size_t i) const {
    const size_t begin = i * bits_, shift = begin % 32, place = first + begin / 32 * stride;
    std::uint64_t bits = word(place);
    if (shift + bits_ > 32) bits |= std::uint64_t{word(place + stride)} << 32;
    return static_cast<std::uint32_t>(bits >> shift) & ((1u << bits_) - 1);
  }
  std::uint32_t word(size_t place) const {
    std::uint32_t word;
    std::memcpy(&word, words_ + place * sizeof word, sizeof word);  // at any alignment
    return word;
  }

  const std::byte* words_;
  size_t columns_, bits_;
};

/// The place in its stream at which AWQ puts the code of an output: eight codes of 4 bits stand in a word in the order
/// 0 2 4 6 1 3 5 7.
inline size_t awq_place(size_t output) { return output / 8 * 8 + output % 2 * 4 + output % 8 / 2; }

}  // namespace cria
