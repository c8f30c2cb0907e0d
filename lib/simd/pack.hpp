// Packing: parts of A and B copied into the order in which tiles read them, so that the inner loop walks straight
// through memory, on few pages, whatever the strides of the operands (Goto & van de Geijn 2008, section 4).
//
// A becomes panels of TileShape::rows rows, each stored column by column; B panels of TileShape::columns columns, each
// stored row by row, the last one filled up with zeros to a whole batch.
#pragma once

#include "lib/simd/gemm_tile.hpp"

namespace cria::simd::kernels {

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
      T* group = to + i / Shape::rows * panel_pitch<T, Arch>(k) + p * width;
      if (a.row_stride != 1)
        for (size_t row = 0; row < width; ++row) group[row] = *a.at(i + row, p);
      else if (m - i >= B::size)
        B::load_unaligned(a.at(i, p)).store_unaligned(group);
      else
        load_partial<Arch>(a.at(i, p), width).store_unaligned(group);
    }
}

/// Packs one panel: `width` of B's columns, over k rows, into k groups of as many whole batches as they need.
template <class Arch, class T>
void pack_columns(Source<T> b, size_t k, size_t width, T* to) {
  using B = Batch<T, Arch>;
  const size_t padded = (width + B::size - 1) / B::size * B::size;
  for (size_t j = 0; j < width; j += B::size) {
    const size_t count = smaller(width - j, B::size);
    if (b.row_stride == 1) {
      for (size_t p = 0; p < k; p += B::size)
        transpose_square<Arch>(b.at(p, j), b.column_stride, count, smaller(k - p, B::size), to + p * padded + j,
                               padded);
    } else if (b.column_stride != 1) {
      for (size_t p = 0; p < k; ++p)
        for (size_t lane = 0; lane < B::size; ++lane)
          to[p * padded + j + lane] = lane < count ? *b.at(p, j + lane) : T(0);
    } else if (count == B::size) {
      for (size_t p = 0; p < k; ++p) B::load_unaligned(b.at(p, j)).store_aligned(to + p * padded + j);
    } else {
      for (size_t p = 0; p < k; ++p) load_partial<Arch>(b.at(p, j), count).store_aligned(to + p * padded + j);
    }
  }
}

}  // namespace cria::simd::kernels
