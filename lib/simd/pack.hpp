// Packing: parts of A and B copied into the order in which tiles read them, so that the inner loop walks straight
// through memory, on few pages, whatever the strides of the operands (Goto & van de Geijn 2008, section 4).
//
// A becomes panels of TileShape::rows rows, each stored column by column; B panels of tile_columns columns, each stored
// row by row, the last one filled up with zeros to a whole batch.
#pragma once

#include "lib/simd/gemm_tile.hpp"

namespace cria::simd::kernels {

/// While one row or column is packed, the one so many further is fetched: strides of a page and more are too long for
/// the prefetchers of CPUs.
static constexpr size_t packed_ahead = 16;

/// A matrix to read, as simd::Matrix, for any number type.
template <class T>
struct Source {
  const T* data;
  size_t row_stride, column_stride;

  const T* at(size_t i, size_t j) const { return data + i * row_stride + j * column_stride; }
  Source from(size_t i, size_t j) const { return {at(i, j), row_stride, column_stride}; }
};

/// Transposes `rows` contiguous rows of `columns` numbers (at most a batch of each) into `columns` whole batches,
/// `to_stride` apart; lanes beyond `rows` become zero.
template <class Arch, class T>
inline void transpose_square(const T* from, size_t from_stride, size_t rows, size_t columns, T* to, size_t to_stride) {
  using B = Batch<T, Arch>;
  B square[B::size];
  if (rows == B::size && columns == B::size) {
#pragma GCC unroll 16
    for (size_t i = 0; i < B::size; ++i) square[i] = B::load_unaligned(from + i * from_stride);
  } else {
#pragma GCC unroll 16
    for (size_t i = 0; i < B::size; ++i)
      square[i] = i < rows ? load_partial<Arch>(from + i * from_stride, columns) : B(T(0));
  }
  transpose(square);
#pragma GCC unroll 16
  for (size_t j = 0; j < B::size; ++j)
    if (j < columns) square[j].store_unaligned(to + j * to_stride);
}

/// How far panels of packed A are apart: k groups and room for a batch.
template <class T, class Arch>
constexpr size_t panel_pitch(size_t k) {
  return TileShape<T, Arch>::rows * k + Batch<T, Arch>::size;
}

/// Packs `m` of A's rows, over k columns, into panels of TileShape::rows, panel_pitch numbers apart, each k groups of
/// as many numbers as it has rows. Each group is stored as a whole batch and the next one on top of what is too much,
/// so a panel is followed by a batch of room. For A not stored by rows; tiles read one that is as it stands.
template <class Arch, class T>
void pack_rows(Source<T> a, size_t m, size_t k, T* to) {
  using B = Batch<T, Arch>;
  using Shape = TileShape<T, Arch>;
  for (size_t p = 0; p < k; ++p)
    for (size_t i = 0; i < m; i += Shape::rows) {
      const size_t width = smaller(m - i, Shape::rows);
      __builtin_prefetch(a.at(i, p + packed_ahead), 0, 3);
      T* group = to + i / Shape::rows * panel_pitch<T, Arch>(k) + p * width;
      if (a.row_stride != 1)
        for (size_t row = 0; row < width; ++row) group[row] = *a.at(i + row, p);
      else if (m - i >= B::size)
        B::load_unaligned(a.at(i, p)).store_unaligned(group);
      else
        load_partial<Arch>(a.at(i, p), width).store_unaligned(group);
    }
}

/// Packs one panel: `width` of B's columns, over k rows, into k groups of `padded` numbers, filled up with zeros. What
/// a last batch writes beyond its group is overwritten by the next, so a panel may be followed by a batch of rubbish.
template <class Arch, class T>
void pack_columns(Source<T> b, size_t k, size_t width, size_t padded, T* to) {
  using B = Batch<T, Arch>;
  for (size_t j = 0; j < width; j += B::size) {
    const size_t count = smaller(width - j, B::size);
    if (b.row_stride == 1) {
      for (size_t p = 0; p < k; p += B::size)
        transpose_square<Arch>(b.at(p, j), b.column_stride, count, smaller(k - p, B::size), to + p * padded + j,
                               padded);
    } else {
      for (size_t p = 0; p < k; ++p)
        for (size_t lane = 0; lane < smaller(B::size, padded - j); ++lane)
          to[p * padded + j + lane] = lane < count ? *b.at(p, j + lane) : T(0);
    }
  }
}

/// Packs a block of B, k x n, panel after panel of tile_columns. A B stored by rows is read along them.
template <class Arch, class T>
void pack_block(Source<T> b, size_t k, size_t n, T* to) {
  using B = Batch<T, Arch>;
  if (b.column_stride != 1) {
    for (size_t j = 0, columns; j < n; j += columns) {
      columns = tile_columns<T, Arch>(n - j);
      pack_columns<Arch>(b.from(0, j), k, columns, width_of<T, Arch>(columns).padded, to + j * k);
    }
    return;
  }
  for (size_t p = 0; p < k; ++p)
    for (size_t j = 0, columns; j < n; j += columns) {
      columns = tile_columns<T, Arch>(n - j);
      const T* from = b.at(p, j);
      T* group = to + j * k + p * width_of<T, Arch>(columns).padded;
      size_t i = 0;
      for (; i + B::size <= columns; i += B::size) {
        __builtin_prefetch(from + i + packed_ahead * b.row_stride, 0, 3);
        B::load_unaligned(from + i).store_unaligned(group + i);
      }
      if (i < columns) load_partial<Arch>(from + i, columns - i).store_unaligned(group + i);
    }
}

}  // namespace cria::simd::kernels
