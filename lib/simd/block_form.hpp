// What numbers are made of when they are stored in blocks: codes of a few bits, and scales that turn them into numbers.
// All of GGML's types (lib/formats/blocks.hpp) are of this form. Included in files of several instruction sets, so all
// functions are static.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cria::simd {

enum class PackedType : std::uint8_t {
  f16,
  bf16,  // those after it are in blocks
  q8_0,
  q4_0,
  q4_1,
  q5_0,
  q5_1,
  q2_k,
  q3_k,
  q4_k,
  q5_k,
  q6_k,
  iq4_nl,
  iq4_xs
};

constexpr bool in_blocks(PackedType type) { return type > PackedType::bf16; }

inline constexpr PackedType block_types[] = {
    PackedType::q8_0, PackedType::q4_0, PackedType::q4_1, PackedType::q5_0, PackedType::q5_1,   PackedType::q2_k,
    PackedType::q3_k, PackedType::q4_k, PackedType::q5_k, PackedType::q6_k, PackedType::iq4_nl, PackedType::iq4_xs};

/// A number is scale (code - zero) + minimum. A block of 32 has one scale and minimum, each a float16. In a superblock
/// of 256 each is a float16 times a whole number of 8 bits, of which every part of the block has its own.
struct BlockForm {
  std::size_t numbers;  // 32 or 256
  std::size_t bits;     // of a code: 8, 6, 5, 4, 3 or 2
  int zero = 0;
  bool has_minimum = false;
  std::size_t part = 32;    // numbers with one scale: 32 or 16
  bool has_levels = false;  // a code is the place of a level, which is taken for it, 128 larger
};
static constexpr bool is_super(const BlockForm& form) { return form.numbers == 256; }

/// Signed codes of files, and levels, are 128 larger here.
static constexpr BlockForm block_form(PackedType type) {
  switch (type) {
    case PackedType::q8_0:
      return {.numbers = 32, .bits = 8, .zero = 128};
    case PackedType::q4_0:
      return {.numbers = 32, .bits = 4, .zero = 8};
    case PackedType::q4_1:
      return {.numbers = 32, .bits = 4, .has_minimum = true};
    case PackedType::q5_0:
      return {.numbers = 32, .bits = 5, .zero = 16};
    case PackedType::q5_1:
      return {.numbers = 32, .bits = 5, .has_minimum = true};
    case PackedType::q2_k:
      return {.numbers = 256, .bits = 2, .has_minimum = true, .part = 16};
    case PackedType::q3_k:
      return {.numbers = 256, .bits = 3, .zero = 4, .part = 16};
    case PackedType::q4_k:
      return {.numbers = 256, .bits = 4, .has_minimum = true};
    case PackedType::q5_k:
      return {.numbers = 256, .bits = 5, .has_minimum = true};
    case PackedType::q6_k:
      return {.numbers = 256, .bits = 6, .zero = 32, .part = 16};
    case PackedType::iq4_nl:
      return {.numbers = 32, .bits = 4, .zero = 128, .has_levels = true};
    case PackedType::iq4_xs:
      return {.numbers = 256, .bits = 4, .zero = 128, .has_levels = true};
    case PackedType::f16:
    case PackedType::bf16:
      break;
  }
  return {.numbers = 1, .bits = 16};
}

/// The levels of IQ4_NL and IQ4_XS.
inline constexpr std::int8_t iq4_levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                               1,    13,   25,  38,  53,  69,  89,  113};

/// What a code of that form stands for before it is scaled.
static constexpr int code_value(const BlockForm& form, int code) {
  return (form.has_levels ? iq4_levels[code] + 128 : code) - form.zero;
}

/// A block of Q8_0 as GGML has it: value = scale code. Caches of keys and values hold such blocks as well.
struct BlockQ8_0 {
  static constexpr std::size_t numbers = 32;
  static constexpr auto type = PackedType::q8_0;
  std::uint16_t scale;  // float16
  std::int8_t codes[32];
};

/// A block taken apart, codes without sign.
struct BlockParts {
  std::uint8_t codes[256];
  std::int8_t scales[16], minima[16];  // of the parts of a superblock
  std::uint16_t scale, minimum;        // float16
};

}  // namespace cria::simd
