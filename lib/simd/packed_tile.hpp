// The product of weights in blocks with rounded activations, written once for the vectors of an instruction set.
//
// Lanes<bits> is what a target provides (packed_avx2.hpp, packed_vnni.hpp): `size` lanes, each of one row; Codes, four
// codes of each row; Sums, whole numbers; Numbers, floats. As in gemm_tile.hpp a tile of results stays in registers
// while the inner dimension runs by: some groups of rows times some rows of activations, all of whose sums are
// independent. Weights are taken apart once for all rows of activations in the tile.
#pragma once

#include <type_traits>
#include <utility>

#include "lib/simd/quantise.hpp"
#include "lib/simd/targets.hpp"

namespace cria::simd::kernels {

/// y (tokens, groups * 16) from `groups` groups of weights, and `tokens` rows of rounded activations.
template <class Lanes, PackedType type, size_t groups, size_t tokens>
void packed_tile(const std::byte* group, size_t k, const std::int8_t* x, const BlockSums* of_x, float* y,
                 size_t y_stride) {
  using Numbers = typename Lanes::Numbers;
  constexpr size_t each = group_rows / Lanes::size, vectors = groups * each, bytes = 4 * Lanes::size;
  const PackedLayout layout = packed_layout(type, k);
  const size_t blocks = k / block_numbers;
  Numbers total[tokens][vectors];
#pragma GCC unroll 8
  for (size_t t = 0; t < tokens; ++t)
#pragma GCC unroll 4
    for (size_t v = 0; v < vectors; ++v) total[t][v] = Lanes::zeros();

  for (size_t block = 0; block < blocks; ++block, x += block_numbers) {
    typename Lanes::Sums sum[tokens][vectors];
#pragma GCC unroll 8
    for (size_t t = 0; t < tokens; ++t)
#pragma GCC unroll 4
      for (size_t v = 0; v < vectors; ++v) sum[t][v] = Lanes::begin(-code_zero(type) * of_x[t * blocks + block].codes);
    // Number `at` of the block and the three after it.
    const auto add = [&](size_t v, typename Lanes::Codes codes, size_t at) {
#pragma GCC unroll 8
      for (size_t t = 0; t < tokens; ++t) sum[t][v] = Lanes::add(sum[t][v], codes, x + t * k + at);
    };
    constexpr size_t steps = block_numbers * code_bits(type) / 32;
#pragma GCC unroll 8
    for (size_t step = 0; step < steps; ++step)
#pragma GCC unroll 4
      for (size_t v = 0; v < vectors; ++v) {
        const auto four = Lanes::load(group + v / each * layout.group + block * layout.codes_of_block +
                                      step * 4 * group_rows + v % each * bytes);
        if constexpr (code_bits(type) == 8) {
          add(v, Lanes::codes(four), 4 * step);
        } else {
          add(v, Lanes::low(four), 4 * step);
          add(v, Lanes::high(four), 4 * step + 16);
        }
      }
#pragma GCC unroll 4
    for (size_t v = 0; v < vectors; ++v) {
      const std::byte* halves = group + v / each * layout.group + (block * group_rows + v % each * Lanes::size) * 2;
      const Numbers scale = Lanes::widen(halves + layout.scales);
#pragma GCC unroll 8
      for (size_t t = 0; t < tokens; ++t) {
        const BlockSums& sums = of_x[t * blocks + block];
        const auto whole = Lanes::end(sum[t][v], -code_zero(type) * sums.codes);
        total[t][v] = Lanes::multiply_add(whole, Lanes::times(scale, sums.scale), total[t][v]);
      }
      if constexpr (has_minimum(type)) {
        const Numbers minimum = Lanes::widen(halves + layout.minima);
#pragma GCC unroll 8
        for (size_t t = 0; t < tokens; ++t)
          total[t][v] = Lanes::multiply_add(minimum, Lanes::all(of_x[t * blocks + block].numbers), total[t][v]);
      }
    }
  }
#pragma GCC unroll 8
  for (size_t t = 0; t < tokens; ++t)
#pragma GCC unroll 4
    for (size_t v = 0; v < vectors; ++v) Lanes::store(y + t * y_stride + v * Lanes::size, total[t][v]);
}

/// The tiles of one type by their size, from 1 group and 1 row of activations up.
template <class Lanes, PackedType type>
struct PackedTiles {
  using Tile = void (*)(const std::byte*, size_t, const std::int8_t*, const BlockSums*, float*, size_t);
  template <size_t groups, size_t... t>
  static constexpr Tile pick(size_t tokens, std::index_sequence<t...>) {
    constexpr Tile tiles[] = {packed_tile<Lanes, type, groups, t + 1>...};
    return tiles[tokens - 1];
  }
  static Tile tile(size_t groups, size_t tokens) {
    constexpr std::make_index_sequence<Lanes::tokens> all;
    return groups == 1 ? pick<1>(tokens, all) : pick<Lanes::groups>(tokens, all);
  }
};

template <class Lanes, PackedType type>
void multiply_type(const PackedRows& w, size_t n, const QuantisedRows& x, float* y, size_t y_stride) {
  const size_t blocks = w.columns / block_numbers, bytes = packed_layout(type, w.columns).group;
  const size_t end = w.first + w.rows;
  for (size_t row = w.first / group_rows * group_rows; row < end;) {
    // One row of activations takes one group after the other, as one stream from memory is fastest.
    const size_t groups = n > 1 && row + group_rows < end ? Lanes::groups : 1, rows = groups * group_rows;
    const bool whole = row >= w.first && row + rows <= end;
    for (size_t t = 0, tokens; t < n; t += tokens) {
      tokens = n - t < Lanes::tokens ? n - t : Lanes::tokens;
      const auto tile = PackedTiles<Lanes, type>::tile(groups, tokens);
      const std::byte* group = w.data + row / group_rows * bytes;
      const std::int8_t* codes = x.codes + t * w.columns;
      float* to = y + t * y_stride;
      if (whole) {
        tile(group, w.columns, codes, x.sums + t * blocks, to + (row - w.first), y_stride);
        continue;
      }
      float part[Lanes::tokens * Lanes::groups * group_rows];
      tile(group, w.columns, codes, x.sums + t * blocks, part, rows);
      for (size_t i = 0; i < tokens; ++i)
        for (size_t j = 0; j < rows; ++j)
          if (row + j >= w.first && row + j < end) to[i * y_stride + row + j - w.first] = part[i * rows + j];
    }
    row += rows;
  }
}

/// LanesOf<8> and LanesOf<4> are the target's.
template <template <size_t bits> class LanesOf>
void multiply_quantised(const PackedRows& w, size_t n, const QuantisedRows& x, float* y, size_t y_stride) {
  switch (w.type) {
    case PackedType::q8_0:
      return multiply_type<LanesOf<8>, PackedType::q8_0>(w, n, x, y, y_stride);
    case PackedType::q4_0:
      return multiply_type<LanesOf<4>, PackedType::q4_0>(w, n, x, y, y_stride);
    case PackedType::q4_1:
      return multiply_type<LanesOf<4>, PackedType::q4_1>(w, n, x, y, y_stride);
    case PackedType::f16:
    case PackedType::bf16:
      return;  // not in blocks
  }
}

/// With CRIA_DOUBLE there is nothing to gain.
template <template <size_t bits> class LanesOf, class T>
PackedKernels packed_kernels() {
  if constexpr (std::is_same_v<T, float>)
    return {quantise<LanesOf<8>, T>, multiply_quantised<LanesOf>};
  else
    return portable::packed_kernels();
}

}  // namespace cria::simd::kernels
