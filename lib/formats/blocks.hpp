// GGML's block types: what a block of quantised numbers holds, and the numbers that it stands for.
//
// Source: ggml-common.h and ggml-quants.c of ggml-org/llama.cpp, checked against gguf-py's dequantisation. A block of
// 32 numbers has one scale, and some types a minimum; a superblock of 256 has a scale (and a minimum) for each 16 or 32
// of its numbers, themselves of 4 or 6 bits, and one float16 that scales the scales (the K types). Here is only what a
// block means. Making blocks is quantisation, and computing with them as they are is the primitives'.
#pragma once

#include <cstddef>
#include <cstdint>

#include "lib/simd/block_form.hpp"

namespace cria {

/// Codes of 4 bits: number j in the low half of codes[j], number j + 16 in its high half. value = scale (code - 8).
struct BlockQ4_0 {
  static constexpr size_t numbers = 32;
  static constexpr auto type = simd::PackedType::q4_0;
  std::uint16_t scale;  // float16, as all of type uint16_t named scale or minimum below
  std::uint8_t codes[16];
};
/// value = scale code + minimum
struct BlockQ4_1 {
  static constexpr size_t numbers = 32;
  static constexpr auto type = simd::PackedType::q4_1;
  std::uint16_t scale, minimum;
  std::uint8_t codes[16];
};
/// The fifth bit of code j is bit j of `fifth`. value = scale (code - 16)
struct BlockQ5_0 {
  static constexpr size_t numbers = 32;
  static constexpr auto type = simd::PackedType::q5_0;
  std::uint16_t scale;
  std::uint8_t fifth[4];
  std::uint8_t codes[16];
};
/// value = scale code + minimum
struct BlockQ5_1 {
  static constexpr size_t numbers = 32;
  static constexpr auto type = simd::PackedType::q5_1;
  std::uint16_t scale, minimum;
  std::uint8_t fifth[4];
  std::uint8_t codes[16];
};
using simd::BlockQ8_0;

/// 16 groups of 16: value = scale s code - minimum m, s and m the low and high half of scales[group].
struct BlockQ2K {
  static constexpr size_t numbers = 256;
  static constexpr auto type = simd::PackedType::q2_k;
  std::uint8_t scales[16];
  std::uint8_t codes[64];
  std::uint16_t scale, minimum;
};
/// 16 groups of 16: value = scale (s - 32) (code - 4); the third bit of a code is in `third`.
struct BlockQ3K {
  static constexpr size_t numbers = 256;
  static constexpr auto type = simd::PackedType::q3_k;
  std::uint8_t third[32];
  std::uint8_t codes[64];
  std::uint8_t scales[12];  // 6 bits for each group
  std::uint16_t scale;
};
/// 8 groups of 32: value = scale s code - minimum m, s and m of 6 bits.
struct BlockQ4K {
  static constexpr size_t numbers = 256;
  static constexpr auto type = simd::PackedType::q4_k;
  std::uint16_t scale, minimum;
  std::uint8_t scales[12];
  std::uint8_t codes[128];
};
/// The same with codes of 5 bits.
struct BlockQ5K {
  static constexpr size_t numbers = 256;
  static constexpr auto type = simd::PackedType::q5_k;
  std::uint16_t scale, minimum;
  std::uint8_t scales[12];
  std::uint8_t fifth[32];
  std::uint8_t codes[128];
};
/// 16 groups of 16: value = scale s (code - 32)
struct BlockQ6K {
  static constexpr size_t numbers = 256;
  static constexpr auto type = simd::PackedType::q6_k;
  std::uint8_t low[128];  // four bits of each code
  std::uint8_t high[64];  // two more
  std::int8_t scales[16];
  std::uint16_t scale;
};

/// Codes into a table of 16 levels, closer together near zero, where weights are dense. value = scale level[code]
struct BlockIQ4NL {
  static constexpr size_t numbers = 32;
  static constexpr auto type = simd::PackedType::iq4_nl;
  std::uint16_t scale;
  std::uint8_t codes[16];
};
/// 8 groups of 32: value = scale (s - 32) level[code]
struct BlockIQ4XS {
  static constexpr size_t numbers = 256;
  static constexpr auto type = simd::PackedType::iq4_xs;
  std::uint16_t scale;
  std::uint16_t scales_high;  // two bits for each group
  std::uint8_t scales_low[4];
  std::uint8_t codes[128];
};

using simd::iq4_levels;

/// Codes, scales and minima of a block, as its type's BlockForm says what they mean. (GGML subtracts the minima of
/// superblocks: those here have the other sign.)
void take_apart(const BlockQ4_0& block, simd::BlockParts& parts);
void take_apart(const BlockQ4_1& block, simd::BlockParts& parts);
void take_apart(const BlockQ5_0& block, simd::BlockParts& parts);
void take_apart(const BlockQ5_1& block, simd::BlockParts& parts);
void take_apart(const BlockQ8_0& block, simd::BlockParts& parts);
void take_apart(const BlockQ2K& block, simd::BlockParts& parts);
void take_apart(const BlockQ3K& block, simd::BlockParts& parts);
void take_apart(const BlockQ4K& block, simd::BlockParts& parts);
void take_apart(const BlockQ5K& block, simd::BlockParts& parts);
void take_apart(const BlockQ6K& block, simd::BlockParts& parts);
void take_apart(const BlockIQ4NL& block, simd::BlockParts& parts);
void take_apart(const BlockIQ4XS& block, simd::BlockParts& parts);

/// Writes the numbers that a block stands for.
void decode(const simd::BlockForm& form, const simd::BlockParts& parts, float* values);
template <class Block>
void decode(const Block& block, float* values) {
  simd::BlockParts parts;
  take_apart(block, parts);
  decode(simd::block_form(Block::type), parts, values);
}

}  // namespace cria
