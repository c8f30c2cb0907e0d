#include "chapters/13-quantisation/pack.hpp"

#include <algorithm>

namespace cria {

void pack_nibbles(const std::uint8_t* codes, size_t half, std::uint8_t* bytes) {
  // solution: pack_nibbles
  for (size_t j = 0; j < half; ++j) bytes[j] = static_cast<std::uint8_t>((codes[j] & 15) | codes[j + half] << 4);
  // end of solution
}

void pack_bits(const std::uint8_t* codes, int bit, size_t count, std::uint8_t* bytes) {
  std::fill_n(bytes, count / 8, std::uint8_t{0});
  for (size_t j = 0; j < count; ++j) bytes[j / 8] |= static_cast<std::uint8_t>((codes[j] >> bit & 1) << (j % 8));
}

}  // namespace cria
