#include "lib/formats/blocks.hpp"

#include <algorithm>

#include "lib/formats/element_type.hpp"

namespace cria {
namespace {

using simd::BlockParts;

// Codes of four bits, 2 half numbers in so many bytes: the low halves of the bytes are the first ones.
void take_nibbles(const std::uint8_t* bytes, size_t half, std::uint8_t* codes) {
  for (size_t j = 0; j < half; ++j) codes[j] = bytes[j] & 15, codes[j + half] = bytes[j] >> 4;
}

void add_fifth_bits(const std::uint8_t* bits, std::uint8_t* codes) {
  for (size_t j = 0; j < 32; ++j) codes[j] |= static_cast<std::uint8_t>((bits[j / 8] >> (j % 8) & 1) << 4);
}

std::uint16_t negative(std::uint16_t half) { return half ^ 0x8000; }

/// The scales and minima in the 12 bytes of Q4_K and Q5_K. Bytes 0 to 3 and 4 to 7 hold six bits of the
/// scales and minima of groups 0 to 3; their two upper bits belong to groups 4 to 7, whose four lower bits, of scale
/// and minimum, share bytes 8 to 11.
void take_scales(const std::uint8_t* s, BlockParts& parts) {
  for (size_t g = 0; g < 4; ++g) {
    parts.scales[g] = s[g] & 63;
    parts.minima[g] = s[g + 4] & 63;
    parts.scales[g + 4] = static_cast<std::int8_t>((s[g + 8] & 15) | (s[g] >> 6 << 4));
    parts.minima[g + 4] = static_cast<std::int8_t>((s[g + 8] >> 4) | (s[g + 4] >> 6 << 4));
  }
}

/// The scale of group g in the 12 bytes of Q3_K: four bits in a half of bytes 0 to 7, two more in bytes 8 to 11.
std::int8_t q3_group_scale(const std::uint8_t* s, size_t g) {
  const int low = g < 8 ? s[g] & 15 : s[g - 8] >> 4;
  const int high = s[8 + g % 4] >> (2 * (g / 4)) & 3;
  return static_cast<std::int8_t>((low | high << 4) - 32);
}

/// Code i of a superblock with two bits each: bytes 0 to 31 hold numbers 0 to 127, 32 of them at a time in two bits.
std::uint8_t two_bits(const std::uint8_t* codes, size_t i) {
  return codes[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
}

}  // namespace

void take_apart(const BlockQ4_0& block, BlockParts& parts) {
  parts.scale = block.scale;
  take_nibbles(block.codes, 16, parts.codes);
}

void take_apart(const BlockQ4_1& block, BlockParts& parts) {
  parts.scale = block.scale, parts.minimum = block.minimum;
  take_nibbles(block.codes, 16, parts.codes);
}

void take_apart(const BlockQ5_0& block, BlockParts& parts) {
  parts.scale = block.scale;
  take_nibbles(block.codes, 16, parts.codes);
  add_fifth_bits(block.fifth, parts.codes);
}

void take_apart(const BlockQ5_1& block, BlockParts& parts) {
  parts.scale = block.scale, parts.minimum = block.minimum;
  take_nibbles(block.codes, 16, parts.codes);
  add_fifth_bits(block.fifth, parts.codes);
}

void take_apart(const BlockQ8_0& block, BlockParts& parts) {
  parts.scale = block.scale;
  for (size_t i = 0; i < 32; ++i) parts.codes[i] = static_cast<std::uint8_t>(block.codes[i] + 128);
}

void take_apart(const BlockQ2K& block, BlockParts& parts) {
  parts.scale = block.scale, parts.minimum = negative(block.minimum);
  for (size_t g = 0; g < 16; ++g) parts.scales[g] = block.scales[g] & 15, parts.minima[g] = block.scales[g] >> 4;
  for (size_t i = 0; i < 256; ++i) parts.codes[i] = two_bits(block.codes, i);
}

void take_apart(const BlockQ3K& block, BlockParts& parts) {
  parts.scale = block.scale;
  for (size_t g = 0; g < 16; ++g) parts.scales[g] = q3_group_scale(block.scales, g);
  for (size_t i = 0; i < 256; ++i)
    parts.codes[i] = static_cast<std::uint8_t>(two_bits(block.codes, i) | (block.third[i % 32] >> (i / 32) & 1) << 2);
}

void take_apart(const BlockQ4K& block, BlockParts& parts) {
  parts.scale = block.scale, parts.minimum = negative(block.minimum);
  take_scales(block.scales, parts);
  for (size_t i = 0; i < 256; i += 64) take_nibbles(block.codes + i / 2, 32, parts.codes + i);  // two groups
}

void take_apart(const BlockQ5K& block, BlockParts& parts) {
  parts.scale = block.scale, parts.minimum = negative(block.minimum);
  take_scales(block.scales, parts);
  for (size_t i = 0; i < 256; i += 64) take_nibbles(block.codes + i / 2, 32, parts.codes + i);
  for (size_t i = 0; i < 256; ++i)
    parts.codes[i] |= static_cast<std::uint8_t>((block.fifth[i % 32] >> (i / 32) & 1) << 4);
}

void take_apart(const BlockQ6K& block, BlockParts& parts) {
  parts.scale = block.scale;
  std::copy_n(block.scales, 16, parts.scales);
  for (size_t i = 0; i < 256; i += 128) take_nibbles(block.low + i / 2, 64, parts.codes + i);
  for (size_t i = 0; i < 256; ++i) parts.codes[i] |= static_cast<std::uint8_t>(two_bits(block.high, i) << 4);
}

void take_apart(const BlockIQ4NL& block, BlockParts& parts) {
  parts.scale = block.scale;
  take_nibbles(block.codes, 16, parts.codes);
}

void take_apart(const BlockIQ4XS& block, BlockParts& parts) {
  parts.scale = block.scale;
  for (size_t g = 0; g < 8; ++g) {
    const int low = block.scales_low[g / 2] >> (g % 2 * 4) & 15, high = block.scales_high >> (2 * g) & 3;
    parts.scales[g] = static_cast<std::int8_t>((low | high << 4) - 32);
    take_nibbles(block.codes + 16 * g, 16, parts.codes + 32 * g);
  }
}

void decode(const simd::BlockForm& form, const BlockParts& parts, float* values) {
  const float scale = half_to_float(parts.scale), minimum = form.has_minimum ? half_to_float(parts.minimum) : 0;
  for (size_t p = 0; p < form.numbers / form.part; ++p) {
    const float s = is_super(form) ? scale * float(parts.scales[p]) : scale;
    const float m = is_super(form) && form.has_minimum ? minimum * float(parts.minima[p]) : minimum;
    for (size_t i = p * form.part; i < (p + 1) * form.part; ++i) {
      const float value = s * float(code_value(form, parts.codes[i]));
      values[i] = form.has_minimum ? value + m : value;
    }
  }
}

}  // namespace cria
