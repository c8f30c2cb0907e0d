// Weights as files store them, in 16 bits or in blocks of 2 to 8, and their products with activations.
//
// Numbers of 16 bits lie row after row. They are widened as they are read, and meet the activations as these are.
//
// Blocks (block_form.hpp) have their bytes in another order than in files: 16 rows are a group, and four codes of its
// first row are followed by four of its second, so that one vector holds something of each row, and their products with
// the same four activations end in 16 lanes, one for each row. Nothing is ever summed across lanes, and a few rows of
// activations or many read the same memory. A group is
//
//   codes    (K / 32, bits, 16 rows, 4)    bytes, in planes of 8, 4, 2 and 1 bits: of 6 bits, 4 lie in 4 vectors, in
//                                          whose bytes two codes meet, and 2 in 2 vectors, where four do
//   scales   (K / 32, 16 rows)             float16; of superblocks (K / part, 16 rows) bytes
//   minima   the same, where the type has them
//   factors  (K / 256, 16 rows)            float16 of superblocks: of the scales, and of the minima
//
// and begins on a cache line. Rows that fill up the last group are zeros.
//
// The activations are rounded as well: a block of 32 becomes whole numbers of -127 … 127 and one scale, so that the
// sums over a block are of whole numbers, exact, and four times as many at a time as of floats (Jacob et al. 2018,
// arXiv:1712.05877, section 2.2). The reference in plain C++ is portable_packed.cpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include "lib/base/real.hpp"
#include "lib/simd/block_form.hpp"

namespace cria::simd {

using std::size_t;

/// `rows` rows of a packed matrix, from row `first` of those at `data` on.
struct PackedRows {
  PackedType type = PackedType::f16;
  const std::byte* data = nullptr;
  size_t first = 0, rows = 0, columns = 0;
};

/// What a packed matrix takes; at least one for its alignment, 64. Columns are whole blocks.
size_t packed_bytes(PackedType type, size_t rows, size_t columns);

/// Rows of a group. Those of different groups share no byte, so threads may pack them side by side.
static constexpr size_t group_rows = 16;

/// Puts a block at its place in the packed matrix at `to`, which was zeros: its numbers are those of row `row` from
/// column `column` on.
void pack_block(PackedType type, const BlockParts& block, size_t columns, size_t row, size_t column, std::byte* to);

/// The numbers that row `row` of `w` stands for.
void unpack_row(const PackedRows& w, size_t row, real* to);

/// What else is known of a block of 32 activations.
struct BlockSums {
  float scale;             // an activation is about scale code
  std::int32_t halves[2];  // Σ code of the first 16, and of the others
  float numbers;           // scale Σ code
};

/// Rows of rounded activations.
struct QuantisedRows {
  std::int8_t* codes = nullptr;  // (n, K)
  BlockSums* sums = nullptr;     // (n, K / 32)
};

/// What n rows of K rounded activations take, and where they are in such memory, aligned to 4 bytes.
size_t quantised_bytes(size_t n, size_t k);
QuantisedRows quantised_rows(void* memory, size_t n, size_t k);

/// Rounds the rows first … first + n - 1 of x, each to the same place in `to`.
void quantise_rows(const real* x, size_t x_stride, size_t first, size_t n, size_t k, const QuantisedRows& to);

/// y = x Wᵀ for n rows x and y, x_stride and y_stride apart: y[t, i] = Σ_k x[t, k] w[i, k]. The bits of an element do
/// not depend on the other rows of W, and in blocks not on those of x either. (With 16 bits products of up to 4 rows
/// are sums in another order, as in gemm; with `each_row` all of them are, each as alone.) Blocks take x as `rounded`,
/// where it is that already.
void multiply_packed(const PackedRows& w, size_t n, const real* x, size_t x_stride, real* y, size_t y_stride,
                     const QuantisedRows& rounded = {}, bool each_row = false);

/// How fast codes could be multiplied if there were nothing else to do (limits.hpp): so many rounds of products in
/// registers, none waiting for another. It returns something that depends on all. Nothing computes with it.
struct CodeLimit {
  static constexpr size_t activations = 64;
  real (*multiply)(size_t rounds, const std::int8_t (&x)[activations]);
  size_t operations_per_round;  // a product that is added counts as two
};

/// What a target provides for weights in blocks.
struct PackedKernels {
  void (*quantise)(const real* x, size_t k, std::int8_t* codes, BlockSums* sums);
  void (*multiply)(const PackedRows& w, size_t n, const QuantisedRows& x, real* y, size_t y_stride);
  CodeLimit limit;
};

}  // namespace cria::simd
