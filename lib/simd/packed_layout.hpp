// Where the parts of a group of 16 packed rows are (packed.hpp). Functions of it are compiled in files of several
// instruction sets, so all are static.
#pragma once

#include <utility>

#include "lib/simd/packed.hpp"

namespace cria::simd {

static constexpr size_t block_numbers = 32, superblock_numbers = 256;

struct PackedLayout {
  size_t codes_of_block, scales_of_block;  // bytes of 32 columns, for all rows of a group
  size_t scales, minima;                   // from the beginning of a group
  size_t factors, factors_of_minima;       // of superblocks
  size_t group;                            // from one group to the next
};

static constexpr PackedLayout packed_layout(PackedType type, size_t columns) {
  const BlockForm form = block_form(type);
  const size_t blocks = columns / block_numbers, factors = is_super(form) ? columns / superblock_numbers * 32 : 0;
  PackedLayout layout{};
  layout.codes_of_block = group_rows * block_numbers * form.bits / 8;
  layout.scales_of_block = group_rows * (is_super(form) ? block_numbers / form.part : 2);
  layout.scales = blocks * layout.codes_of_block;
  layout.minima = layout.scales + blocks * layout.scales_of_block;
  layout.factors = layout.minima + (form.has_minimum ? blocks * layout.scales_of_block : 0);
  layout.factors_of_minima = layout.factors + factors;
  layout.group = (layout.factors_of_minima + (form.has_minimum ? factors : 0) + 63) / 64 * 64;
  return layout;
}

/// A code's lower bits, which lie in a plane of their own; the others lie in a second one.
static constexpr size_t lower_bits(size_t bits) { return bits == 8 ? 8 : bits >= 4 ? 4 : 2; }

/// In a plane that is so many bits wide, codes 4 i … 4 i + 3 of a block are in this one of its vectors, from that bit
/// of each byte on.
static constexpr size_t plane_vector(size_t width, size_t i) { return i % width; }
static constexpr size_t plane_bit(size_t width, size_t i) { return i / width * width; }

/// Code j of the row `lane` of a group, in a block that begins at `codes`.
static inline int packed_code(size_t bits, const std::uint8_t* codes, size_t lane, size_t j) {
  const size_t lower = lower_bits(bits), i = j / 4;
  const auto plane = [&](size_t first, size_t width) {
    const int byte = codes[((first + plane_vector(width, i)) * group_rows + lane) * 4 + j % 4];
    return byte >> plane_bit(width, i) & ((1 << width) - 1);
  };
  return plane(0, lower) | (bits > lower ? plane(lower, bits - lower) << lower : 0);
}

/// Of a block of activations, or of its part 0 or 1.
template <size_t parts>
static std::int32_t sum_of_codes(const BlockSums& x, size_t part) {
  return parts == 1 ? x.halves[0] + x.halves[1] : x.halves[part];
}
template <size_t parts>
static float sum_of_numbers(const BlockSums& x, size_t part) {
  return parts == 1 ? x.numbers : x.scale * float(x.halves[part]);
}

/// Calls use.template operator()<type>() with `type` as a constant.
template <class Use>
static void with_block_type(PackedType type, Use use) {
  [&]<size_t... i>(std::index_sequence<i...>) {
    (void)((type == block_types[i] && (use.template operator()<block_types[i]>(), true)) || ...);
  }
  (std::make_index_sequence<sizeof(block_types) / sizeof(block_types[0])>{});
}

}  // namespace cria::simd
