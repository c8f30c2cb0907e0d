// Where the parts of a group of 16 packed rows are (packed.hpp). Functions of it are compiled in files of several
// instruction sets, so all are static.
#pragma once

#include "lib/simd/packed.hpp"

namespace cria::simd {

static constexpr size_t block_numbers = 32, group_rows = 16;

struct PackedLayout {
  size_t codes_of_block;  // bytes, for all rows of a group
  size_t scales, minima;  // from the beginning of a group
  size_t group;           // from one group to the next
};

static constexpr PackedLayout packed_layout(PackedType type, size_t columns) {
  const size_t blocks = columns / block_numbers, halves = blocks * group_rows * 2;
  PackedLayout layout{};
  layout.codes_of_block = group_rows * block_numbers * code_bits(type) / 8;
  layout.scales = blocks * layout.codes_of_block;
  layout.minima = layout.scales + halves;
  layout.group = (layout.minima + (has_minimum(type) ? halves : 0) + 63) / 64 * 64;
  return layout;
}

}  // namespace cria::simd
