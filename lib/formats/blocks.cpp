#include "lib/formats/blocks.hpp"

#include "lib/formats/element_type.hpp"

namespace cria {
namespace {

// Codes of four bits, 32 numbers in 16 bytes: the low halves are the first 16 numbers, the high halves the others.
template <class Value>
void for_each_nibble(const std::uint8_t* codes, float* values, size_t half, Value value) {
  for (size_t j = 0; j < half; ++j) {
    values[j] = value(j, codes[j] & 15);
    values[j + half] = value(j + half, codes[j] >> 4);
  }
}

int bit(const std::uint8_t* bits, size_t index) { return bits[index / 8] >> (index % 8) & 1; }

/// The scale and minimum of group g in the 12 bytes of Q4_K and Q5_K. Bytes 0 to 3 and 4 to 7 hold six bits of the
/// scales and minima of groups 0 to 3; their two upper bits belong to groups 4 to 7, whose four lower bits, of scale
/// and minimum, share bytes 8 to 11.
struct GroupScale {
  int scale, minimum;
};
GroupScale group_scale(const std::uint8_t* s, size_t g) {
  if (g < 4) return {s[g] & 63, s[g + 4] & 63};
  return {(s[g + 4] & 15) | (s[g - 4] >> 6 << 4), (s[g + 4] >> 4) | (s[g] >> 6 << 4)};
}

/// The scale of group g in the 12 bytes of Q3_K: four bits in a half of bytes 0 to 7, two more in bytes 8 to 11.
int q3_group_scale(const std::uint8_t* s, size_t g) {
  const int low = g < 8 ? s[g] & 15 : s[g - 8] >> 4;
  const int high = s[8 + g % 4] >> (2 * (g / 4)) & 3;
  return (low | high << 4) - 32;
}

/// Code i of a superblock with two bits each: bytes 0 to 31 hold numbers 0 to 127, 32 of them at a time in two bits.
int two_bits(const std::uint8_t* codes, size_t i) { return codes[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3; }

}  // namespace

const std::int8_t iq4_levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

void decode(const BlockQ4_0& block, float* values) {
  const float scale = half_to_float(block.scale);
  for_each_nibble(block.codes, values, 16, [&](size_t, int code) { return scale * float(code - 8); });
}

void decode(const BlockQ4_1& block, float* values) {
  const float scale = half_to_float(block.scale), minimum = half_to_float(block.minimum);
  for_each_nibble(block.codes, values, 16, [&](size_t, int code) { return scale * float(code) + minimum; });
}

void decode(const BlockQ5_0& block, float* values) {
  const float scale = half_to_float(block.scale);
  for_each_nibble(block.codes, values, 16,
                  [&](size_t j, int code) { return scale * float((code | bit(block.fifth, j) << 4) - 16); });
}

void decode(const BlockQ5_1& block, float* values) {
  const float scale = half_to_float(block.scale), minimum = half_to_float(block.minimum);
  for_each_nibble(block.codes, values, 16,
                  [&](size_t j, int code) { return scale * float(code | bit(block.fifth, j) << 4) + minimum; });
}

void decode(const BlockQ8_0& block, float* values) {
  const float scale = half_to_float(block.scale);
  for (size_t i = 0; i < 32; ++i) values[i] = scale * float(block.codes[i]);
}

void decode(const BlockQ2K& block, float* values) {
  const float scale = half_to_float(block.scale), minimum = half_to_float(block.minimum);
  for (size_t i = 0; i < 256; ++i) {
    const std::uint8_t group = block.scales[i / 16];
    values[i] = scale * float(group & 15) * float(two_bits(block.codes, i)) - minimum * float(group >> 4);
  }
}

void decode(const BlockQ3K& block, float* values) {
  const float scale = half_to_float(block.scale);
  for (size_t i = 0; i < 256; ++i) {
    const int third = block.third[i % 32] >> (i / 32) & 1;
    const int code = (two_bits(block.codes, i) | third << 2) - 4;
    values[i] = scale * float(q3_group_scale(block.scales, i / 16)) * float(code);
  }
}

void decode(const BlockQ4K& block, float* values) {
  const float scale = half_to_float(block.scale), minimum = half_to_float(block.minimum);
  for (size_t g = 0; g < 8; g += 2) {  // 32 bytes hold two groups
    const GroupScale group[2] = {group_scale(block.scales, g), group_scale(block.scales, g + 1)};
    for_each_nibble(block.codes + 16 * g, values + 32 * g, 32, [&](size_t j, int code) {
      return scale * float(group[j / 32].scale) * float(code) - minimum * float(group[j / 32].minimum);
    });
  }
}

void decode(const BlockQ5K& block, float* values) {
  const float scale = half_to_float(block.scale), minimum = half_to_float(block.minimum);
  for (size_t g = 0; g < 8; g += 2) {
    const GroupScale group[2] = {group_scale(block.scales, g), group_scale(block.scales, g + 1)};
    for_each_nibble(block.codes + 16 * g, values + 32 * g, 32, [&](size_t j, int low) {
      const int code = low | (block.fifth[j % 32] >> (g + j / 32) & 1) << 4;
      return scale * float(group[j / 32].scale) * float(code) - minimum * float(group[j / 32].minimum);
    });
  }
}

void decode(const BlockQ6K& block, float* values) {
  const float scale = half_to_float(block.scale);
  for (size_t i = 0; i < 256; ++i) {
    const size_t half = i / 128, place = i % 128;  // of the block, and within that half
    const int low = block.low[64 * half + place % 64] >> (place < 64 ? 0 : 4) & 15;
    const int high = block.high[32 * half + place % 32] >> (place / 32 * 2) & 3;
    values[i] = scale * float(block.scales[i / 16]) * float((low | high << 4) - 32);
  }
}

void decode(const BlockIQ4NL& block, float* values) {
  const float scale = half_to_float(block.scale);
  for_each_nibble(block.codes, values, 16, [&](size_t, int code) { return scale * float(iq4_levels[code]); });
}

void decode(const BlockIQ4XS& block, float* values) {
  for (size_t g = 0; g < 8; ++g) {
    const int low = block.scales_low[g / 2] >> (g % 2 * 4) & 15, high = block.scales_high >> (2 * g) & 3;
    const float scale = half_to_float(block.scale) * float((low | high << 4) - 32);
    for_each_nibble(block.codes + 16 * g, values + 32 * g, 16,
                    [&](size_t, int code) { return scale * float(iq4_levels[code]); });
  }
}

}  // namespace cria
