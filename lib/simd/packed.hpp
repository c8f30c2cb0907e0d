// Weights as files store them, in 16, 8 or 4 bits, and their products with activations.
//
// Numbers of 16 bits lie row after row. They are widened as they are read, and meet the activations as these are.
//
// Codes of 8 and 4 bits are GGML's blocks of 32 (lib/formats/blocks.hpp), with the bytes in another order: 16 rows are
// a group, and four bytes of its first row are followed by four of its second, so that one vector holds something of
// each row, and their products with the same four activations end in 16 lanes, one for each row. Nothing is ever summed
// across lanes, and a few rows of activations or many read the same memory. A group is
//
//   codes    (K / 32, 8 or 4, 16 rows, 4)  unsigned bytes; of 4 bits number j and number j + 16 of a block share byte j
//   scales   (K / 32, 16 rows)             float16
//   minima   (K / 32, 16 rows)             float16, where the type has them
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

namespace cria::simd {

using std::size_t;

enum class PackedType : std::uint8_t { f16, bf16, q8_0, q4_0, q4_1 };

constexpr bool in_blocks(PackedType type) { return type != PackedType::f16 && type != PackedType::bf16; }
constexpr size_t code_bits(PackedType type) { return type == PackedType::q8_0 ? 8 : in_blocks(type) ? 4 : 16; }
constexpr bool has_minimum(PackedType type) { return type == PackedType::q4_1; }
/// A weight is scale (code - code_zero) + minimum. Q8_0 has signed codes in files; here they are 128 larger.
constexpr int code_zero(PackedType type) { return type == PackedType::q8_0 ? 128 : type == PackedType::q4_0 ? 8 : 0; }

/// `rows` rows of a packed matrix, from row `first` of those at `data` on.
struct PackedRows {
  PackedType type = PackedType::f16;
  const std::byte* data = nullptr;
  size_t first = 0, rows = 0, columns = 0;
};

/// What a packed matrix takes; at least one for its alignment, 64. Columns are a multiple of 32 for types in blocks.
size_t packed_bytes(PackedType type, size_t rows, size_t columns);

/// Puts a row, as GGUF files and safetensors store it, at its place `row` in the packed matrix at `to`, which was
/// zeros.
void pack_row(PackedType type, const std::byte* stored, size_t columns, size_t row, std::byte* to);

/// The numbers that row `row` of `w` stands for.
void unpack_row(const PackedRows& w, size_t row, real* to);

/// y = x Wᵀ for n rows x and y, x_stride and y_stride apart: y[t, i] = Σ_k x[t, k] w[i, k]. The bits of an element do
/// not depend on the other rows of W, and in blocks not on those of x either. (With 16 bits products of up to 4 rows
/// are sums in another order, as in gemm.)
void multiply_packed(const PackedRows& w, size_t n, const real* x, size_t x_stride, real* y, size_t y_stride);

/// What else is known of a block of 32 activations.
struct BlockSums {
  float scale;         // an activation is about scale code
  std::int32_t codes;  // Σ code
  float numbers;       // scale Σ code
};

/// n rows of rounded activations.
struct QuantisedRows {
  const std::int8_t* codes;  // (n, K)
  const BlockSums* sums;     // (n, K / 32)
};

/// What a target provides for weights in blocks.
struct PackedKernels {
  void (*quantise)(const real* x, size_t k, std::int8_t* codes, BlockSums* sums);
  void (*multiply)(const PackedRows& w, size_t n, const QuantisedRows& x, real* y, size_t y_stride);
};

}  // namespace cria::simd
