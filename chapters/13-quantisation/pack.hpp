// Codes into the bits of a block, as the decoders of lib/formats/blocks.cpp read them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace cria {

/// The lower four bits of each code: the first half of the codes into the low halves of the bytes, the others into the
/// high ones.
inline void pack_nibbles(const std::uint8_t* codes, size_t half, std::uint8_t* bytes) {
  for (size_t j = 0; j < half; ++j) bytes[j] = static_cast<std::uint8_t>((codes[j] & 15) | codes[j + half] << 4);
}

/// One bit of each code, eight in a byte, the first lowest.
inline void pack_bits(const std::uint8_t* codes, int bit, size_t count, std::uint8_t* bytes) {
  std::fill_n(bytes, count / 8, std::uint8_t{0});
  for (size_t j = 0; j < count; ++j) bytes[j / 8] |= static_cast<std::uint8_t>((codes[j] >> bit & 1) << (j % 8));
}

}  // namespace cria
