// The matrix product: which part of which operand is where in the caches, around the tile of gemm_tile.hpp.
//
// A block of B (k_block x n_block) is packed and stays in L2 while the rows of A pass it; the rows of one tile stay
// near while the panels of the block pass them. That is the order of Goto & van de Geijn (2008) and BLIS (Van Zee & van
// de Geijn 2015) with the parts of A and B exchanged: C is written along its rows, and A needs no packing where it is
// stored by rows, as activations and their gradients are.
//
// The sum of each element of C runs over p in ascending order, in blocks that depend on k and the strides alone, so its
// bits depend neither on the other sizes nor on how rows and columns are divided among threads. (Up to 4 rows times a B
// stored by columns are sums in another order, see gemv.hpp.)
#pragma once

#include "lib/simd/gemv.hpp"
#include "lib/simd/pack.hpp"
#include "lib/simd/workspace.hpp"

namespace cria::simd::kernels {

/// Sizes of the blocks of B, in numbers: a megabyte of L2 holds either, and some of A. A narrow and long one reads and
/// writes C least often; where A is packed, once for each block, a wide one does that least often.
template <class T>
struct Blocks {
  size_t k, n;
  static constexpr Blocks for_a(bool in_place) {
    return in_place ? Blocks{4096 / sizeof(T), 144} : Blocks{1536 / sizeof(T), 480};
  }
};
static constexpr size_t rows_packed = 48;  // of A at a time; a multiple of all heights of tiles
static constexpr size_t few_rows = 256;    // up to which it does not pay to pack a B whose rows are in one piece

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

template <class Arch, class T>
void gemm_blocked(size_t m, size_t n, size_t k, Source<T> a, Source<T> b, T* c, size_t c_stride, bool accumulate) {
  using Shape = TileShape<T, Arch>;
  constexpr size_t size = Batch<T, Arch>::size;
  const bool a_in_place = readable_in_place<T, Arch>(a, k), b_in_place = b.column_stride == 1 && m <= few_rows;
  const Blocks<T> largest = Blocks<T>::for_a(a_in_place);
  const size_t k_block = equal_parts(k, largest.k);
  const size_t n_block = (equal_parts(n, largest.n) + Shape::columns - 1) / Shape::columns * Shape::columns;
  const size_t pitch = panel_pitch<T, Arch>(k_block);
  T* packed_b = static_cast<T*>(workspace((n_block * k_block + rows_packed / Shape::rows * pitch) * sizeof(T)));
  T* packed_a = packed_b + n_block * k_block;

  for (size_t j0 = 0; j0 < n; j0 += n_block) {
    const size_t nc = smaller(n - j0, n_block);
    for (size_t p0 = 0; p0 < k; p0 += k_block) {
      const size_t kc = smaller(k - p0, k_block);
      for (size_t j = 0; j < nc; j += Shape::columns) {
        const size_t columns = smaller(nc - j, Shape::columns);
        if (!b_in_place || columns % size != 0) pack_columns<Arch>(b.from(p0, j0 + j), kc, columns, packed_b + j * kc);
      }

      for (size_t i = 0; i < m; i += Shape::rows) {
        const size_t rows = smaller(m - i, Shape::rows);
        TileOperands<T> in{.a = a.at(i, p0), .a_row = a.row_stride, .a_step = a.column_stride};
        if (!a_in_place) {
          if (i % rows_packed == 0) pack_rows<Arch>(a.from(i, p0), smaller(m - i, rows_packed), kc, packed_a);
          in.a = packed_a + i % rows_packed / Shape::rows * panel_pitch<T, Arch>(kc);
          in.a_row = 1, in.a_step = rows;
        }
        // Each tile brings its share of A's next rows near.
        const size_t share = a.column_stride == 1 && i + 2 * Shape::rows <= m ? (kc * Shape::columns + nc - 1) / nc : 0;
        for (size_t j = 0, p = 0; j < nc; j += Shape::columns, p += share) {
          const size_t columns = smaller(nc - j, Shape::columns), vectors = (columns + size - 1) / size;
          const bool packed = !b_in_place || columns % size != 0;
          in.b = packed ? packed_b + j * kc : b.at(p0, j0 + j);
          in.b_step = packed ? vectors * size : b.row_stride;
          if (p < kc) in.ahead = a.at(i + Shape::rows, p0 + p), in.ahead_count = smaller(share, kc - p);
          multiply_tile<Arch>(
              rows, vectors, kc, in,
              TileResult<T>{c + i * c_stride + j0 + j, c_stride, columns - (vectors - 1) * size, accumulate || p0 > 0});
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
    return gemv<Arch>(m, n, k, a.data, a.row_stride, b.data, b.column_stride, c, c_stride, accumulate);
  gemm_blocked<Arch>(m, n, k, a, b, c, c_stride, accumulate);
}

}  // namespace cria::simd::kernels
