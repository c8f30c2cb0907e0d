#include "chapters/13-quantisation/quantise_superblocks.hpp"

#include "chapters/13-quantisation/group_search.hpp"
#include "chapters/13-quantisation/pack.hpp"

namespace cria {
namespace {

// Bits that are put into bytes which were zero.
void put(std::uint8_t& byte, int bits, size_t place) { byte |= static_cast<std::uint8_t>(bits << place); }

/// The lower two bits of each code: bytes 0 to 31 hold numbers 0 to 127, 32 of them at a time in two bits.
void pack_two_bits(const std::uint8_t* codes, std::uint8_t* bytes) {
  for (size_t i = 0; i < 256; ++i) put(bytes[i / 128 * 32 + i % 32], codes[i] & 3, i % 128 / 32 * 2);
}

/// Six bits of scale and of minimum for each of eight groups, in the 12 bytes of Q4_K and Q5_K: those of groups 0 to 3
/// lie in a byte each, and in its two upper bits those that groups 4 to 7 have no place for in bytes 8 to 11.
void pack_group_scales(const Groups& groups, std::uint8_t* bytes) {
  for (size_t g = 0; g < 4; ++g) {
    put(bytes[g], groups.scales[g], 0);
    put(bytes[g + 4], groups.minima[g], 0);
  }
  for (size_t g = 4; g < 8; ++g) {
    put(bytes[g + 4], groups.scales[g] & 15, 0);
    put(bytes[g + 4], groups.minima[g] & 15, 4);
    put(bytes[g - 4], groups.scales[g] >> 4, 6);
    put(bytes[g], groups.minima[g] >> 4, 6);
  }
}

/// All of Q4_K and Q5_K but the fifth bits of codes.
template <class Block>
Groups quantise_in_eight(std::span<const float> values, std::span<const float> weights, const Levels& levels,
                         Block& block) {
  const Groups groups = search_groups_with_minimum(values, weights, 32, levels, 63);
  block = {};
  block.scale = groups.scale;
  block.minimum = groups.minimum;
  pack_group_scales(groups, block.scales);
  for (size_t g = 0; g < 8; g += 2) pack_nibbles(groups.codes + 32 * g, 32, block.codes + 16 * g);
  return groups;
}

}  // namespace

void quantise(std::span<const float> values, std::span<const float> weights, BlockQ2K& block) {
  const Groups groups = search_groups_with_minimum(values, weights, 16, Levels(0, 3), 15);
  block = {};
  block.scale = groups.scale;
  block.minimum = groups.minimum;
  for (size_t g = 0; g < 16; ++g) block.scales[g] = static_cast<std::uint8_t>(groups.scales[g] | groups.minima[g] << 4);
  pack_two_bits(groups.codes, block.codes);
}

void quantise(std::span<const float> values, std::span<const float> weights, BlockQ3K& block) {
  const Groups groups = search_groups(values, weights, 16, Levels(-4, 3), -32, 31);
  block = {};
  block.scale = groups.scale;
  for (size_t i = 0; i < 256; ++i) put(block.third[i % 32], groups.codes[i] >> 2, i / 32);
  pack_two_bits(groups.codes, block.codes);
  for (size_t g = 0; g < 16; ++g) {
    const int scale = groups.scales[g] + 32;
    put(block.scales[g % 8], scale & 15, g / 8 * 4);
    put(block.scales[8 + g % 4], scale >> 4, g / 4 * 2);
  }
}

void quantise(std::span<const float> values, std::span<const float> weights, BlockQ4K& block) {
  quantise_in_eight(values, weights, Levels(0, 15), block);
}

void quantise(std::span<const float> values, std::span<const float> weights, BlockQ5K& block) {
  const Groups groups = quantise_in_eight(values, weights, Levels(0, 31), block);
  for (size_t i = 0; i < 256; ++i) put(block.fifth[i % 32], groups.codes[i] >> 4, i / 32);
}

void quantise(std::span<const float> values, std::span<const float> weights, BlockQ6K& block) {
  const Groups groups = search_groups(values, weights, 16, Levels(-32, 31), -128, 127);
  block = {};
  block.scale = groups.scale;
  for (size_t g = 0; g < 16; ++g) block.scales[g] = static_cast<std::int8_t>(groups.scales[g]);
  for (size_t i = 0; i < 256; ++i) {
    const size_t half = i / 128, place = i % 128;  // of the block, and within that half
    put(block.low[64 * half + place % 64], groups.codes[i] & 15, place / 64 * 4);
    put(block.high[32 * half + place % 32], groups.codes[i] >> 4, place / 32 * 2);
  }
}

void quantise(std::span<const float> values, std::span<const float> weights, BlockIQ4XS& block) {
  const Groups groups = search_groups(values, weights, 32, Levels(iq4_levels), -32, 31);
  block = {};
  block.scale = groups.scale;
  for (size_t g = 0; g < 8; ++g) {
    const int scale = groups.scales[g] + 32;
    put(block.scales_low[g / 2], scale & 15, g % 2 * 4);
    block.scales_high |= static_cast<std::uint16_t>(scale >> 4 << (2 * g));
    pack_nibbles(groups.codes + 32 * g, 16, block.codes + 16 * g);
  }
}

}  // namespace cria
