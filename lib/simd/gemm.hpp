// The matrix product: which part of which operand is where in the caches, around the tile of gemm_tile.hpp.
//
// The order of loops is that of Goto & van de Geijn (2008) and BLIS (Van Zee & van de Geijn 2015): a part of B (k_block
// x n_block) is packed and stays in L3 or L2; a part of A (m_block x k_block) is packed and stays in L2; one panel of B
// (k_block x columns) stays in L1 while all panels of A pass it.
//
// The sum of each element of C runs over p in ascending order, in blocks that depend on k alone, so its bits depend
// neither on the other sizes nor on how rows and columns are divided among threads. (m = 1 with B
// stored by columns is a row of dot products instead, each in the order of dot.)
#pragma once

#include "lib/simd/gemv.hpp"
#include "lib/simd/pack.hpp"
#include "lib/simd/workspace.hpp"

namespace cria::simd::kernels {

/// Sizes of the blocks, in numbers. Half of a 512 KiB L2 for A; B's part is at most 2 MiB.
template <class T, class Arch>
struct Blocks {
  using Shape = TileShape<T, Arch>;
  static constexpr size_t k = 384 * 4 / sizeof(T);
  static constexpr size_t m = 168 / Shape::rows * Shape::rows;
  static constexpr size_t n = 1344 / Shape::columns * Shape::columns;
};

constexpr size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/// k in equal parts of at most `most`, so that no short rest is left over.
constexpr size_t equal_parts(size_t size, size_t most) {
  const size_t parts = (size + most - 1) / most;
  return (size + parts - 1) / parts;
}

template <class Arch, class T>
void gemm_blocked(size_t m, size_t n, size_t k, Source<T> a, Source<T> b, T* c, size_t c_stride, bool accumulate) {
  using Shape = TileShape<T, Arch>;
  using Block = Blocks<T, Arch>;
  constexpr size_t size = Batch<T, Arch>::size;
  const size_t k_block = equal_parts(k, Block::k);
  const size_t n_block = smaller((n + Shape::columns - 1) / Shape::columns * Shape::columns, Block::n);
  const size_t m_block = smaller((m + Shape::rows - 1) / Shape::rows * Shape::rows, Block::m);
  T* packed_b = static_cast<T*>(workspace((n_block * k_block + m_block * k_block + size) * sizeof(T)));
  T* packed_a = packed_b + n_block * k_block;

  for (size_t j0 = 0; j0 < n; j0 += n_block) {
    const size_t nc = smaller(n - j0, n_block);
    for (size_t p0 = 0; p0 < k; p0 += k_block) {
      const size_t kc = smaller(k - p0, k_block);
      const bool add = accumulate || p0 > 0;
      for (size_t j = 0; j < nc; j += Shape::columns)
        pack_columns<Arch>(Source<T>{b.at(p0, j0 + j), b.row_stride, b.column_stride}, kc,
                           smaller(nc - j, Shape::columns), packed_b + j * kc);
      for (size_t i0 = 0; i0 < m; i0 += m_block) {
        const size_t mc = smaller(m - i0, m_block);
        for (size_t i = 0; i < mc; i += Shape::rows)
          pack_rows<Arch>(Source<T>{a.at(i0 + i, p0), a.row_stride, a.column_stride}, smaller(mc - i, Shape::rows), kc,
                          packed_a + i * kc);
        for (size_t j = 0; j < nc; j += Shape::columns) {
          const size_t columns = smaller(nc - j, Shape::columns), vectors = (columns + size - 1) / size;
          for (size_t i = 0; i < mc; i += Shape::rows) {
            const size_t rows = smaller(mc - i, Shape::rows);
            multiply_tile<Arch>(rows, vectors, kc,
                                TileOperands<T>{packed_a + i * kc, 1, rows, packed_b + j * kc, vectors * size},
                                c + (i0 + i) * c_stride + j0 + j, c_stride, columns - (vectors - 1) * size, add);
          }
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
  if (m == 1 && a.column_stride == 1 && b.row_stride == 1)
    return gemv<Arch>(n, k, a.data, b.data, b.column_stride, c, accumulate);
  gemm_blocked<Arch>(m, n, k, a, b, c, c_stride, accumulate);
}

}  // namespace cria::simd::kernels
