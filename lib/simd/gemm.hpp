// The matrix product: which part of which operand is where in the caches, around the tile of gemm_tile.hpp.
//
// A block of B (k_block x n_block) is packed and stays in L2 while the rows of A pass it; the rows of one tile stay
// near while the panels of the block pass them. That is the order of Goto & van de Geijn (2008) and BLIS (Van Zee & van
// de Geijn 2015) with the parts of A and B exchanged: C is written along its rows, and A needs no packing where it is
// stored by rows, as activations and their gradients are.
//
// The sum of each element of C runs over p in ascending order, in blocks that depend on k and the strides alone, so its
// bits depend neither on the other sizes nor on how rows and columns are divided among threads. (Products of up to 4
// rows are sums in another order, see gemv.hpp.)
#pragma once

#include "lib/simd/gemv.hpp"
#include "lib/simd/pack.hpp"
#include "lib/simd/workspace.hpp"

namespace cria::simd::kernels {

/// Sizes of the blocks of B, in numbers, and up to how many rows of C a B stored by rows is read where it is: packing
/// it pays off with more. A megabyte of L2 holds a block and some of A. A narrow and long one reads and writes C least
/// often; one of A's columns brings a cache line with it for each number of k; and where A is packed, once for each
/// block, a wide one does that least often.
struct Blocks {
  size_t k, n, rows_in_place;
};
template <class T>
constexpr Blocks blocks(bool a_in_place, bool a_by_rows) {
  if (!a_in_place) return {1536 / sizeof(T), 480, 256};
  if (!a_by_rows) return {2048 / sizeof(T), 144, 1024};
  return {4096 / sizeof(T), 144, 256};
}
static constexpr size_t rows_packed = 48;  // of A at a time; a multiple of all heights of tiles

/// `size` in equal parts of at most `most`, so that no short rest is left over.
static constexpr size_t equal_parts(size_t size, size_t most) {
  const size_t parts = (size + most - 1) / most;
  return (size + parts - 1) / parts;
}

/// Whether tiles read A where it is. Along rows they always do. Along columns (A is a transpose) they touch one or two
/// cache lines for each p, for a few numbers of each: fine while all of these lines stay in L1, or if a tile's column
/// is an even part of a line; but not if columns are a multiple of 4 KiB apart, where they fall on the same few sets of
/// the cache and drive each other out.
template <class T, class Arch>
bool readable_in_place(const Source<T>& a, size_t k) {
  if (a.column_stride == 1) return true;
  if (a.row_stride != 1) return false;
  return k <= 256 || (64 % (TileShape<T, Arch>::rows * sizeof(T)) == 0 && a.column_stride * sizeof(T) % 4096 != 0);
}

/// What the tile at column j of nc brings near of A's next rows, each over k columns: its share of them.
template <class Arch, class T>
Ahead<T> share_of_next_rows(Source<T> a, size_t k, size_t j, size_t nc) {
  constexpr size_t line = 64 / sizeof(T), rows = TileShape<T, Arch>::rows, columns = TileShape<T, Arch>::columns;
  const size_t share = (k * columns + nc - 1) / nc, p = j / columns * share;
  if (p >= k) return {};
  if (a.column_stride == 1)  // a part is a row
    return {a.at(0, p), a.row_stride, line, (smaller(share, k - p) + line - 1) / line};
  // A part is some of the columns, each of which is a line. No need for it when all of them fit into L2.
  if (k * a.column_stride * sizeof(T) <= 1 << 18) return {};
  const size_t part = smaller(share, k - p) / rows;
  return {a.at(0, p), part * a.column_stride, a.column_stride, part};
}

template <class Arch, class T>
void gemm_blocked(size_t m, size_t n, size_t k, Source<T> a, Source<T> b, T* c, size_t c_stride, bool accumulate) {
  using Shape = TileShape<T, Arch>;
  const bool a_in_place = readable_in_place<T, Arch>(a, k);
  const Blocks largest = blocks<T>(a_in_place, a.column_stride == 1);
  const bool b_in_place = b.column_stride == 1 && m <= largest.rows_in_place;
  const size_t k_block = equal_parts(k, largest.k);
  const size_t n_block = (equal_parts(n, largest.n) + Shape::columns - 1) / Shape::columns * Shape::columns;
  const size_t pitch = panel_pitch<T, Arch>(k_block);
  T* packed_b = static_cast<T*>(workspace((n_block * k_block + rows_packed / Shape::rows * pitch) * sizeof(T)));
  T* packed_a = packed_b + n_block * k_block;

  for (size_t j0 = 0; j0 < n; j0 += n_block) {
    const size_t nc = smaller(n - j0, n_block);
    for (size_t p0 = 0; p0 < k; p0 += k_block) {
      const size_t kc = smaller(k - p0, k_block);
      if (!b_in_place) pack_block<Arch>(b.from(p0, j0), kc, nc, packed_b);
      for (size_t i = 0; i < m; i += Shape::rows) {
        const size_t rows = smaller(m - i, Shape::rows);
        TileOperands<T> in{.a = a.at(i, p0), .a_row = a.row_stride, .a_step = a.column_stride};
        if (!a_in_place) {
          if (i % rows_packed == 0) pack_rows<Arch>(a.from(i, p0), smaller(m - i, rows_packed), kc, packed_a);
          in.a = packed_a + i % rows_packed / Shape::rows * panel_pitch<T, Arch>(kc);
          in.a_row = 1, in.a_step = rows;
        }
        T* row = c + i * c_stride + j0;  // of C
        for (size_t j = 0, columns; j < nc; j += columns) {
          columns = tile_columns<T, Arch>(nc - j);
          const Width width = width_of<T, Arch>(columns);
          const bool packed = !b_in_place || columns != width.padded;
          if (packed && b_in_place && i == 0) pack_block<Arch>(b.from(p0, j0 + j), kc, columns, packed_b + j * kc);
          in.b = packed ? packed_b + j * kc : b.at(p0, j0 + j);
          in.b_step = packed ? width.padded : b.row_stride;
          if (a_in_place && i + 2 * Shape::rows <= m)
            in.ahead = share_of_next_rows<Arch>(a.from(i + Shape::rows, p0), kc, j, nc);
          const T* next = j + columns < nc ? row + j + columns : row + rows * c_stride;
          multiply_tile<Arch>(
              rows, width, kc, in,
              TileResult<T>{row + j, c_stride, columns - (width.padded - width.vector), accumulate || p0 > 0, next});
        }
      }
    }
  }
}

template <class Arch, class T>
void gemm(size_t m, size_t n, size_t k, Source<T> a, Source<T> b, T* c, size_t c_stride, bool accumulate) {
  if (m == 0 || n == 0) return;
  if (k == 0) {
    if (!accumulate)
      for (size_t i = 0; i < m; ++i)
        for (size_t j = 0; j < n; ++j) c[i * c_stride + j] = 0;
    return;
  }
  if (m <= 4 && a.column_stride == 1 && b.row_stride == 1)
    return few_rows_by_columns<Arch, T>[m - 1](n, k, a.data, a.row_stride, b.data, b.column_stride, c, c_stride,
                                               accumulate);
  if (m <= 4 && a.column_stride == 1 && b.column_stride == 1)
    return few_rows_by_rows<Arch, T>[m - 1](n, k, a.data, a.row_stride, b.data, b.row_stride, c, c_stride, accumulate);
  gemm_blocked<Arch>(m, n, k, a, b, c, c_stride, accumulate);
}

}  // namespace cria::simd::kernels
