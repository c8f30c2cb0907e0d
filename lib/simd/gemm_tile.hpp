// The innermost part of the matrix product: a tile of C held in registers while the inner dimension runs by.
//
// For each p one column of A's tile meets one row of B's: `rows` numbers, each broadcast, times `vectors` batches. The
// tile's rows * vectors sums are independent, which hides the latency of the FMA (4 cycles, 2 a cycle: at least 8), and
// there must be registers for them, one row of B and one broadcast: 8 x 3 + 3 + 1 of 32 with AVX-512, 6 x 2 + 2 + 1 of
// 16 with AVX2. Each step loads rows + vectors times for rows * vectors FMAs. 12 x 2 would do too, but 12 rows of an
// unpacked A need more address registers than x86 has (111 for 116 GFLOP/s).
#pragma once

#include "lib/simd/half_batch.hpp"

namespace cria::simd::kernels {

/// The largest tile for an instruction set. Packing A transposes squares of batches, so `rows` is at most a batch.
template <class T, class Arch>
struct TileShape {
  static constexpr size_t size = Batch<T, Arch>::size;
  static constexpr size_t sums = size * sizeof(T) == 32 ? 12 : 24;  // AVX2 has 16 registers, AVX-512 and NEON have 32
  static constexpr size_t rows = sums == 12 ? smaller(6, size) : smaller(8, size);
  static constexpr size_t vectors = smaller(sums / rows, 8);
  static constexpr size_t columns = vectors * size;
};

/// How many columns the next tile takes where so many are left: as many as it can, but not so many that a single vector
/// is left over, which loads more often than it multiplies.
template <class T, class Arch>
constexpr size_t tile_columns(size_t left) {
  using Shape = TileShape<T, Arch>;
  if (left <= Shape::columns) return left;
  return Shape::vectors > 2 && left <= Shape::columns + Shape::size ? Shape::columns - Shape::size : Shape::columns;
}

/// Lines of memory to bring near while a tile computes: `count` in each of its `rows` parts.
template <class T>
struct Ahead {
  const T* data = nullptr;
  size_t part_stride = 0, stride = 0, count = 0;
};

/// What a tile reads: element (i, p) of A is a[i * a_row + p * a_step], row p of B starts at b + p * b_step.
template <class T>
struct TileOperands {
  const T* a;
  size_t a_row, a_step;
  const T* b = nullptr;
  size_t b_step = 0;
  Ahead<T> ahead = {};
};

/// Where a tile writes: rows `stride` apart; of its last vector only `last` columns; added to what is there, or not.
/// `next` is where the tile after it will write.
template <class T>
struct TileResult {
  T* data;
  size_t stride, last;
  bool accumulate;
  const T* next;
};

/// C (rows, vectors) = A B, or += A B, in vectors of type V.
template <class V, size_t rows, size_t vectors, class T>
void multiply_tile(size_t k, TileOperands<T> in, TileResult<T> c) {
  V sum[rows][vectors];
#pragma GCC unroll 8
  for (size_t i = 0; i < rows; ++i)
#pragma GCC unroll 8
    for (size_t v = 0; v < vectors; ++v) sum[i][v] = V(T(0));

  // What comes next is fetched a part at a time in between: fetched at once, it would hold up the loads of A and B.
  const T *a = in.a, *b = in.b;
  for (size_t part = 0, p = 0; part < rows; ++part) {
#pragma GCC unroll 8
    for (size_t v = 0; v < vectors; ++v) __builtin_prefetch(c.next + part * c.stride + v * V::size, 1, 3);
    for (size_t line = 0; line < in.ahead.count; ++line)
      __builtin_prefetch(in.ahead.data + part * in.ahead.part_stride + line * in.ahead.stride, 0, 2);

    for (const size_t end = k * (part + 1) / rows; p < end; ++p, a += in.a_step, b += in.b_step) {
      V right[vectors];
#pragma GCC unroll 8
      for (size_t v = 0; v < vectors; ++v) right[v] = V::load_unaligned(b + v * V::size);
#pragma GCC unroll 8
      for (size_t i = 0; i < rows; ++i) {
        const V left(a[i * in.a_row]);
#pragma GCC unroll 8
        for (size_t v = 0; v < vectors; ++v) sum[i][v] = multiply_add(left, right[v], sum[i][v]);
      }
    }
  }

#pragma GCC unroll 8
  for (size_t i = 0; i < rows; ++i) {
    T* row = c.data + i * c.stride;
#pragma GCC unroll 8
    for (size_t v = 0; v < vectors; ++v, row += V::size) {
      if (v + 1 < vectors || c.last == V::size) {
        if (c.accumulate) sum[i][v] += V::load_unaligned(row);
        sum[i][v].store_unaligned(row);
      } else {
        V old(T(0));
        if (c.accumulate) load_partial(old, row, c.last);
        sum[i][v] += old;
        store_partial(row, sum[i][v], c.last);
      }
    }
  }
}

/// The vectors in which so many columns are computed: how many numbers each holds, and all of them.
struct Width {
  size_t vector, padded;
};
template <class T, class Arch>
constexpr Width width_of(size_t columns) {
  constexpr size_t narrow = NarrowBatch<T, Arch>::size, whole = Batch<T, Arch>::size;
  if (columns <= narrow) return {narrow, narrow};
  return {whole, (columns + whole - 1) / whole * whole};
}

/// multiply_tile for a size known only now: 1 … rows and 1 … vectors, from one table of all of them.
template <class Arch, class T>
void multiply_tile(size_t rows, Width width, size_t k, TileOperands<T> in, TileResult<T> c) {
  using Shape = TileShape<T, Arch>;
  using Tile = void (*)(size_t, TileOperands<T>, TileResult<T>);
  static constexpr auto tiles = []<size_t... i>(std::index_sequence<i...>) {
    struct Table {
      Tile whole[sizeof...(i)], narrow[sizeof...(i)];
    };
    return Table{{multiply_tile<Batch<T, Arch>, i / Shape::vectors + 1, i % Shape::vectors + 1, T>...},
                 {multiply_tile<NarrowBatch<T, Arch>, i / Shape::vectors + 1, 1, T>...}};
  }
  (std::make_index_sequence<Shape::rows * Shape::vectors>{});
  const size_t at = (rows - 1) * Shape::vectors;
  if (width.padded < Batch<T, Arch>::size) return tiles.narrow[at](k, in, c);
  tiles.whole[at + width.padded / Batch<T, Arch>::size - 1](k, in, c);
}

}  // namespace cria::simd::kernels
