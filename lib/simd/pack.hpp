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

/// Packs one panel: `width` <= a batch of A's rows, over k columns, into k groups of `width` numbers. Writes up to a
/// batch minus `width` numbers beyond the end, as each group is stored as a whole batch, the next one on top.
template <class Arch, class T>
void pack_rows(Source<T> a, size_t width, size_t k, T* to) {
  using B = Batch<T, Arch>;
  if (a.row_stride == 1) {
    for (size_t p = 0; p < k; ++p) load_partial<Arch>(a.at(0, p), width).store_unaligned(to + p * width);
  } else if (a.column_stride == 1) {
    for (size_t p = 0; p < k; p += B::size)
      transpose_square<Arch>(a.at(0, p), a.row_stride, width, k - p < B::size ? k - p : B::size, to + p * width, width);
  } else {
    for (size_t p = 0; p < k; ++p)
      for (size_t i = 0; i < width; ++i) to[p * width + i] = *a.at(i, p);
  }
}

/// Packs one panel: `width` of B's columns, over k rows, into k groups of as many whole batches as they need.
template <class Arch, class T>
void pack_columns(Source<T> b, size_t k, size_t width, T* to) {
  using B = Batch<T, Arch>;
  const size_t padded = (width + B::size - 1) / B::size * B::size;
  for (size_t j = 0; j < width; j += B::size) {
    const size_t count = width - j < B::size ? width - j : B::size;
    if (b.row_stride == 1) {
      for (size_t p = 0; p < k; p += B::size)
        transpose_square<Arch>(b.at(p, j), b.column_stride, count, k - p < B::size ? k - p : B::size,
                               to + p * padded + j, padded);
    } else if (b.column_stride == 1) {
      for (size_t p = 0; p < k; ++p) load_partial<Arch>(b.at(p, j), count).store_unaligned(to + p * padded + j);
    } else {
      for (size_t p = 0; p < k; ++p)
        for (size_t lane = 0; lane < B::size; ++lane) to[p * padded + j + lane] = lane < count ? *b.at(p, j + lane) : T(0);
    }
  }
}

}  // namespace cria::simd::kernels
