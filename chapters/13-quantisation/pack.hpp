// Codes into the bits of a block, as the decoders of lib/formats/blocks.cpp read them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cria {

using std::size_t;

/// The lower four bits of each of 2 `half` codes, two in a byte: byte j has code j in its low half and code j + `half`
/// in its high one.
void pack_nibbles(const std::uint8_t* codes, size_t half, std::uint8_t* bytes);

/// One bit of each code, eight in a byte, the first lowest.
void pack_bits(const std::uint8_t* codes, int bit, size_t count, std::uint8_t* bytes);

}  // namespace cria
