// The product of weights in blocks with rounded activations, written once for all types and for the vectors of an
// instruction set.
//
// Lanes<bits> is what a target provides for values of so many bits (packed_avx2.hpp, packed_vnni.hpp): `size` lanes,
// each of one row; Bytes, four codes of each row as they lie in memory; Sums, whole numbers; Numbers, floats. As in
// gemm_tile.hpp a tile of results stays in registers while the inner dimension runs by: some groups of rows times some
// rows of activations, all of whose sums are independent. Weights are taken apart once for all rows of activations in
// the tile.
#pragma once

#include <type_traits>
#include <utility>

#include "lib/simd/quantise.hpp"
#include "lib/simd/targets.hpp"

namespace cria::simd::kernels {

/// Codes 4 i … 4 i + 3 of a block, of the rows of a vector: as its planes begin at `block` for them.
template <class Lanes, PackedType type, size_t i>
auto codes_of(const std::byte* block) {
  constexpr BlockForm form = block_form(type);
  constexpr size_t lower = lower_bits(form.bits), upper = form.bits - lower, vector = 4 * group_rows;
  auto codes = Lanes::template take<lower, plane_bit(lower, i), 0>(block + plane_vector(lower, i) * vector);
  if constexpr (upper > 0)
    codes = Lanes::either(codes, Lanes::template take<upper, plane_bit(upper, i), lower>(
                                     block + (lower + plane_vector(upper, i)) * vector));
  if constexpr (form.has_levels) codes = Lanes::levels(codes);
  return Lanes::codes(codes);
}

/// The scales of rows from `lane` on; or their minima, from where these are.
template <class Lanes, PackedType type>
auto scales_of(const std::byte* group, size_t scales, size_t factors, size_t block, size_t part, size_t lane) {
  constexpr BlockForm form = block_form(type);
  if constexpr (is_super(form)) {
    constexpr size_t parts = block_numbers / form.part, blocks = superblock_numbers / block_numbers;
    const auto whole = Lanes::whole(group + scales + (block * parts + part) * group_rows + lane);
    return Lanes::times(whole, Lanes::widen(group + factors + (block / blocks * group_rows + lane) * 2));
  } else {
    return Lanes::widen(group + scales + (block * group_rows + lane) * 2);
  }
}

/// `groups` groups of weights, and `tokens` rows of rounded activations.
template <class Lanes, PackedType type, size_t groups, size_t tokens>
class PackedTile {
 public:
  /// y (tokens, groups * 16)
  __attribute__((flatten)) static void multiply(const std::byte* group, size_t k, const std::int8_t* x,
                                                const BlockSums* of_x, float* y, size_t y_stride) {
    Numbers total[tokens][vectors];
#pragma GCC unroll 8
    for (size_t t = 0; t < tokens; ++t)
#pragma GCC unroll 4
      for (size_t v = 0; v < vectors; ++v) total[t][v] = Lanes::zeros();
    const PackedTile tile(group, k, x, of_x, packed_layout(type, k));
    for (size_t block = 0; block < k / block_numbers; ++block) {
      tile.add_part<0>(block, total, std::make_index_sequence<8 / parts>{});
      if constexpr (parts == 2) tile.add_part<1>(block, total, std::make_index_sequence<8 / parts>{});
    }
#pragma GCC unroll 8
    for (size_t t = 0; t < tokens; ++t)
#pragma GCC unroll 4
      for (size_t v = 0; v < vectors; ++v) Lanes::store(y + t * y_stride + v * Lanes::size, total[t][v]);
  }

 private:
  static constexpr BlockForm form = block_form(type);
  static constexpr size_t ahead = 4096;  // bytes of codes: a core's own prefetcher ends at each page
  static constexpr size_t each = group_rows / Lanes::size, vectors = groups * each, parts = block_numbers / form.part;
  using Sums = typename Lanes::Sums;
  using Numbers = typename Lanes::Numbers;

  PackedTile(const std::byte* g, size_t columns, const std::int8_t* codes, const BlockSums* sums, PackedLayout l)
      : group(g), k(columns), x(codes), of_x(sums), layout(l) {}

  template <size_t part, size_t... n>
  void add_part(size_t block, Numbers (&total)[tokens][vectors], std::index_sequence<n...>) const {
    const BlockSums* of_block = of_x + block;
    Sums sum[tokens][vectors];
#pragma GCC unroll 8
    for (size_t t = 0; t < tokens; ++t)
#pragma GCC unroll 4
      for (size_t v = 0; v < vectors; ++v)
        sum[t][v] = Lanes::begin(-form.zero * sum_of_codes<parts>(of_block[t * (k / block_numbers)], part));
    // Codes that share a vector of 4 bits follow each other, or else part 0 has the lower and part 1 the upper ones.
    (add_codes < parts == 1 ? n / 2 + n % 2 * 4 : part * 4 + n > (block, sum), ...);
#pragma GCC unroll 4
    for (size_t v = 0; v < vectors; ++v) {
      const std::byte* rows = group + v / each * layout.group;
      const size_t lane = v % each * Lanes::size;
      const Numbers scale = scales_of<Lanes, type>(rows, layout.scales, layout.factors, block, part, lane);
#pragma GCC unroll 8
      for (size_t t = 0; t < tokens; ++t) {
        const BlockSums& sums = of_block[t * (k / block_numbers)];
        const Numbers whole = Lanes::end(sum[t][v], -form.zero * sum_of_codes<parts>(sums, part));
        total[t][v] = Lanes::multiply_add(whole, Lanes::times(scale, Lanes::all(sums.scale)), total[t][v]);
      }
      if constexpr (form.has_minimum) {
        const Numbers minimum =
            scales_of<Lanes, type>(rows, layout.minima, layout.factors_of_minima, block, part, lane);
#pragma GCC unroll 8
        for (size_t t = 0; t < tokens; ++t) {
          const float numbers = sum_of_numbers<parts>(of_block[t * (k / block_numbers)], part);
          total[t][v] = Lanes::multiply_add(minimum, Lanes::all(numbers), total[t][v]);
        }
      }
    }
  }

  /// Products with codes 4 i … 4 i + 3 of the block.
  template <size_t i>
  void add_codes(size_t block, Sums (&sum)[tokens][vectors]) const {
    const std::int8_t* four = x + block * block_numbers + 4 * i;
#pragma GCC unroll 4
    for (size_t v = 0; v < vectors; ++v) {
      const std::byte* of_rows = group + v / each * layout.group + block * layout.codes_of_block;
      if (i < form.bits && v % each == 0) __builtin_prefetch(of_rows + ahead + i * 64);
      const auto codes = codes_of<Lanes, type, i>(of_rows + v % each * 4 * Lanes::size);
#pragma GCC unroll 8
      for (size_t t = 0; t < tokens; ++t) sum[t][v] = Lanes::add(sum[t][v], codes, four + t * k);
    }
  }

  const std::byte* group;
  size_t k;
  const std::int8_t* x;
  const BlockSums* of_x;
  PackedLayout layout;
};

/// The tiles of one type by their size, from 1 group and 1 row of activations up.
template <class Lanes, PackedType type>
struct PackedTiles {
  using Tile = void (*)(const std::byte*, size_t, const std::int8_t*, const BlockSums*, float*, size_t);
  template <size_t groups, size_t... t>
  static constexpr Tile pick(size_t tokens, std::index_sequence<t...>) {
    constexpr Tile tiles[] = {PackedTile<Lanes, type, groups, t + 1>::multiply...};
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
      const size_t tiles = (n - t + Lanes::tokens - 1) / Lanes::tokens;  // of nearly the same size
      tokens = (n - t + tiles - 1) / tiles;
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

/// How many bits a code's value takes in a product: 8 is all of a byte, of 4 a whole block's sum is small.
static constexpr size_t value_bits(PackedType type) {
  const BlockForm form = block_form(type);
  return form.bits == 8 || form.has_levels ? 8 : form.bits > 4 ? 6 : 4;
}

/// LanesOf<8>, LanesOf<6> and LanesOf<4> are the target's.
template <template <size_t bits> class LanesOf>
void multiply_quantised(const PackedRows& w, size_t n, const QuantisedRows& x, float* y, size_t y_stride) {
  with_block_type(w.type,
                  [&]<PackedType type>() { multiply_type<LanesOf<value_bits(type)>, type>(w, n, x, y, y_stride); });
}

static constexpr size_t limit_sums_of_codes = 12;

/// As many sums as in limit_kernels.hpp, of products with other activations each.
template <class Lanes>
real limit_multiply_codes(size_t rounds, const std::int8_t (&x)[CodeLimit::activations]) {
  constexpr size_t sums = limit_sums_of_codes;
  std::byte memory[4 * group_rows];
  for (size_t i = 0; i < sizeof memory; ++i) memory[i] = std::byte(x[i] & 15);
  const auto codes = Lanes::codes(Lanes::template take<8, 0, 0>(memory));
  typename Lanes::Sums sum[sums];
#pragma GCC unroll 12
  for (size_t s = 0; s < sums; ++s) sum[s] = Lanes::begin(0);
  for (size_t round = 0; round < rounds; ++round)
#pragma GCC unroll 12
    for (size_t s = 0; s < sums; ++s) sum[s] = Lanes::add(sum[s], codes, x + 4 * s);
  real total = 0;
  for (size_t s = 0; s < sums; ++s) {
    float numbers[Lanes::size];
    Lanes::store(numbers, Lanes::end(sum[s], 0));
    for (const float number : numbers) total += number;
  }
  return total;
}

/// With CRIA_DOUBLE there is nothing to gain.
template <template <size_t bits> class LanesOf, class T>
PackedKernels packed_kernels() {
  if constexpr (std::is_same_v<T, float>)
    return {quantise<LanesOf<8>, T>,
            multiply_quantised<LanesOf>,
            {limit_multiply_codes<LanesOf<4>>, limit_sums_of_codes * LanesOf<4>::size * 4 * 2}};
  else
    return portable::packed_kernels();
}

}  // namespace cria::simd::kernels
