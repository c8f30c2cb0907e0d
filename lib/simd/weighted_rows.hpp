// Products of few rows, 1 to 4, with a matrix that is stored by rows: its rows, weighted and added up, as attention
// adds up values by their probabilities.
#pragma once

#include "lib/simd/gemm_tile.hpp"
#include "lib/simd/kernels.hpp"

namespace cria::simd::kernels {

/// In how many sums a row times a vector of columns is formed, and how many such vectors fit into the registers.
template <class T, class Arch, size_t m>
struct ColumnsTogether {
  static constexpr size_t chains = m <= 2 ? 4 : 2;
  static constexpr size_t most = TileShape<T, Arch>::sums / (m * chains), vectors = smaller(most, 4);
};

/// c[i, j] = Σ_p a[i, p] b[p, j], or += with `accumulate`, for m rows and so many vectors of columns, of the last of
/// which only `last` exist if it is not `whole`.
template <class Arch, class V, size_t m, size_t vectors, bool whole, class T>
void add_weighted_rows(size_t k, const T* a, size_t a_stride, const T* b, size_t b_stride, T* c, size_t c_stride,
                       size_t last, bool accumulate) {
  constexpr size_t chains = ColumnsTogether<T, Arch, m>::chains;
  const auto load = [last](const T* from, size_t v) {
    V x;
    if (whole || v + 1 < vectors)
      x = V::load_unaligned(from + v * V::size);
    else
      load_partial(x, from + v * V::size, last);
    return x;
  };
  V sum[chains][m][vectors];
#pragma GCC unroll 4
  for (size_t chain = 0; chain < chains; ++chain)
#pragma GCC unroll 4
    for (size_t i = 0; i < m; ++i)
#pragma GCC unroll 4
      for (size_t v = 0; v < vectors; ++v) sum[chain][i][v] = V(T(0));
  const auto add_row = [&](size_t p, size_t chain) {
#pragma GCC unroll 4
    for (size_t v = 0; v < vectors; ++v) {
      const V right = load(b + p * b_stride, v);
#pragma GCC unroll 4
      for (size_t i = 0; i < m; ++i) sum[chain][i][v] = multiply_add(V(a[i * a_stride + p]), right, sum[chain][i][v]);
    }
  };
  size_t p = 0;
  for (; p + chains <= k; p += chains) {
#pragma GCC unroll 4
    for (size_t chain = 0; chain < chains; ++chain) add_row(p + chain, chain);
  }
  for (; p < k; ++p) add_row(p, 0);
#pragma GCC unroll 4
  for (size_t i = 0; i < m; ++i)
#pragma GCC unroll 4
    for (size_t v = 0; v < vectors; ++v) {
      V total = sum[0][i][v] + sum[1][i][v];
      if constexpr (chains == 4) total += sum[2][i][v] + sum[3][i][v];
      T* to = c + i * c_stride + v * V::size;
      if (accumulate) total += load(c + i * c_stride, v);
      if (whole || v + 1 < vectors)
        total.store_unaligned(to);
      else
        store_partial(to, total, last);
    }
}

/// Few rows times a matrix stored by rows, which is read where it is, once. Takes `vectors` of its columns at a time,
/// then one fewer, and at last those that do not fill a vector.
template <class Arch, size_t m, size_t vectors, class T>
void weighted_rows(size_t n, size_t k, const T* a, size_t a_stride, const T* b, size_t b_stride, T* c, size_t c_stride,
                   bool accumulate) {
  using B = Batch<T, Arch>;
  using Narrow = NarrowBatch<T, Arch>;
  size_t j = 0;
  if constexpr (vectors > 0) {
    for (; j + vectors * B::size <= n; j += vectors * B::size)
      add_weighted_rows<Arch, B, m, vectors, true>(k, a, a_stride, b + j, b_stride, c + j, c_stride, 0, accumulate);
    if (j < n) weighted_rows<Arch, m, vectors - 1>(n - j, k, a, a_stride, b + j, b_stride, c + j, c_stride, accumulate);
  } else if (n == Narrow::size) {
    add_weighted_rows<Arch, Narrow, m, 1, true>(k, a, a_stride, b, b_stride, c, c_stride, 0, accumulate);
  } else {
    add_weighted_rows<Arch, B, m, 1, false>(k, a, a_stride, b, b_stride, c, c_stride, n, accumulate);
  }
}

}  // namespace cria::simd::kernels
