// The innermost part of the matrix product: a tile of C held in registers while the inner dimension runs by.
//
// For each p one column of A's tile meets one row of B's: `rows` numbers, each broadcast, times `vectors` batches. The
// tile's rows * vectors sums are independent, which hides the latency of the FMA (4 cycles, 2 a cycle: at least 8), and
// there must be registers for them, one row of B and one broadcast: 12 x 2 + 2 + 1 of 32 with AVX-512 and NEON,
// 6 x 2 + 2 + 1 of 16 with AVX2. Each step loads rows + vectors times for rows * vectors FMAs.
#pragma once

#include "lib/simd/xsimd.hpp"

namespace cria::simd::kernels {

/// The largest tile for an instruction set. Packing A transposes squares of batches, so `rows` is at most a batch.
template <class T, class Arch>
struct TileShape {
  static constexpr size_t size = Batch<T, Arch>::size;
  static constexpr bool many_registers = size * sizeof(T) != 32;  // 32 of them; AVX2 has 16
  static constexpr size_t rows = !many_registers ? (size == 8 ? 6 : 4) : size == 16 ? 12 : size < 8 ? size : 8;
  static constexpr size_t vectors = (many_registers ? 24 : 12) / rows < 8 ? (many_registers ? 24 : 12) / rows : 8;
  static constexpr size_t columns = vectors * size;
};

/// Where a tile reads: element (i, p) of A is a[i * a_row + p * a_step], row p of B starts at b + p * b_step.
template <class T>
struct TileOperands {
  const T* a;
  size_t a_row, a_step;
  const T* b;
  size_t b_step;
};

/// C (rows, vectors batches) = A B, or += with `accumulate`; of the last batch's columns only `last` are written.
template <class Arch, size_t rows, size_t vectors, class T>
void multiply_tile(size_t k, TileOperands<T> in, T* c, size_t c_stride, size_t last, bool accumulate) {
  using B = Batch<T, Arch>;
  B sum[rows][vectors];
#pragma GCC unroll 16
  for (size_t i = 0; i < rows; ++i)
#pragma GCC unroll 8
    for (size_t v = 0; v < vectors; ++v) sum[i][v] = B(T(0));

  const T *a = in.a, *b = in.b;
  for (size_t p = 0; p < k; ++p, a += in.a_step, b += in.b_step) {
    B right[vectors];
#pragma GCC unroll 8
    for (size_t v = 0; v < vectors; ++v) right[v] = B::load_unaligned(b + v * B::size);
#pragma GCC unroll 16
    for (size_t i = 0; i < rows; ++i) {
      const B left(a[i * in.a_row]);
#pragma GCC unroll 8
      for (size_t v = 0; v < vectors; ++v) sum[i][v] = multiply_add(left, right[v], sum[i][v]);
    }
  }

#pragma GCC unroll 16
  for (size_t i = 0; i < rows; ++i) {
    T* row = c + i * c_stride;
#pragma GCC unroll 8
    for (size_t v = 0; v + 1 < vectors; ++v) {
      if (accumulate) sum[i][v] += B::load_unaligned(row + v * B::size);
      sum[i][v].store_unaligned(row + v * B::size);
    }
    T* end = row + (vectors - 1) * B::size;
    if (last == B::size) {
      if (accumulate) sum[i][vectors - 1] += B::load_unaligned(end);
      sum[i][vectors - 1].store_unaligned(end);
    } else {
      if (accumulate) sum[i][vectors - 1] += load_partial<Arch>(end, last);
      store_partial(end, sum[i][vectors - 1], last);
    }
  }
}

/// multiply_tile for sizes known only now: 1 … rows and 1 … vectors. One table of all of them.
template <class Arch, class T>
void multiply_tile(size_t rows, size_t vectors, size_t k, TileOperands<T> in, T* c, size_t c_stride, size_t last,
                   bool accumulate) {
  using Shape = TileShape<T, Arch>;
  using Tile = void (*)(size_t, TileOperands<T>, T*, size_t, size_t, bool);
  static constexpr auto tiles = []<size_t... i>(std::index_sequence<i...>) {
    struct Table {
      Tile tile[sizeof...(i)];
    };
    return Table{{multiply_tile<Arch, i / Shape::vectors + 1, i % Shape::vectors + 1, T>...}};
  }(std::make_index_sequence<Shape::rows * Shape::vectors>{});
  tiles.tile[(rows - 1) * Shape::vectors + vectors - 1](k, in, c, c_stride, last, accumulate);
}

}  // namespace cria::simd::kernels
