// Products of few rows, 1 to 4, which is the work of decoding a token. Every number of the large matrix is read once,
// so nothing is packed, and the speed is that of memory.
//
// Weights (out, in) are stored by columns to x Wᵀ: its columns are dot products with W's rows. The values of attention
// are stored by rows: probabilities weight them and add them up.
//
// Decoding several texts at once multiplies a row of each by the same weights. Each has to come out as it does alone,
// so there are products of any number of rows that form every sum as a product of one row does.
#pragma once

#include "lib/simd/gemm_tile.hpp"
#include "lib/simd/kernels.hpp"

namespace cria::simd::kernels {

/// One batch of sums: lane i of the result is the sum of the lanes of rows[i]. Each round adds the halves of two
/// batches, interleaved, so that `size` sums cost size - 1 additions and not size log(size).
template <class T, class Arch, size_t size>
inline Batch<T, Arch> sums_of_lanes(xsimd::batch<T, Arch> (&rows)[size]) {
  constexpr std::make_index_sequence<size> lanes;
#pragma GCC unroll 4
  for (size_t half = size / 2; half > 0; half /= 2)
#pragma GCC unroll 8
    for (size_t i = 0; i < half; ++i)
      rows[i] = interleave<false>(rows[i], rows[i + half], lanes) + interleave<true>(rows[i], rows[i + half], lanes);
  return rows[0];
}

/// How many rows of W are read side by side, and in how many batches each sum is formed, as an FMA that waits for the
/// one before it takes 4 cycles. One row of x: one row of W after the other, so that memory is read in one stream,
/// which alone reaches its full speed. With several rows of x loads are what is scarce, and rows of W share those of x.
template <size_t m>
struct RowsTogether {
  static constexpr size_t rows = m == 1 ? 1 : 4, chains = m == 1 ? 4 : 1;
};

/// The batches whose lanes sum to x[r] · w[s], for m rows of x and RowsTogether::rows of W; `next` are the rows of W
/// after these, if they lie there in one piece.
template <class Arch, size_t m, class T, size_t rows>
inline void dot_lanes(size_t k, const T* x, size_t x_stride, const T* const (&w)[rows], const T* next,
                      Batch<T, Arch> (&total)[m][rows]) {
  using B = Batch<T, Arch>;
  constexpr size_t chains = RowsTogether<m>::chains;
  B sum[chains][m][rows];
#pragma GCC unroll 4
  for (size_t chain = 0; chain < chains; ++chain)
#pragma GCC unroll 4
    for (size_t r = 0; r < m; ++r)
#pragma GCC unroll 4
      for (size_t s = 0; s < rows; ++s) sum[chain][r][s] = B(T(0));
  const auto add = [&](size_t chain, size_t p, auto count) {
    B left[m];
#pragma GCC unroll 4
    for (size_t r = 0; r < m; ++r) left[r] = load<Arch>(x + r * x_stride + p, count);
#pragma GCC unroll 4
    for (size_t s = 0; s < rows; ++s) {
      const B weights = load<Arch>(w[s] + p, count);
#pragma GCC unroll 4
      for (size_t r = 0; r < m; ++r) sum[chain][r][s] = multiply_add(left[r], weights, sum[chain][r][s]);
    }
  };
  constexpr std::integral_constant<size_t, B::size> whole;
  size_t p = 0;
  for (; p + chains * B::size <= k; p += chains * B::size) {
    if (rows > 1 && next)  // in the order of memory, which is what memory likes
#pragma GCC unroll 4
      for (size_t s = 0; s < rows; ++s) __builtin_prefetch(next + p * rows + s * B::size, 0, 2);
#pragma GCC unroll 4
    for (size_t chain = 0; chain < chains; ++chain) add(chain, p + chain * B::size, whole);
  }
#pragma GCC unroll 4
  for (size_t chain = 0; chain + 1 < chains; ++chain)
    if (p + B::size <= k) {
      add(chain, p, whole);
      p += B::size;
    }
  if (p < k) add(chains - 1, p, k - p);
#pragma GCC unroll 4
  for (size_t r = 0; r < m; ++r)
#pragma GCC unroll 4
    for (size_t s = 0; s < rows; ++s) {
      total[r][s] = sum[0][r][s];
      if constexpr (chains == 4) total[r][s] = (total[r][s] + sum[1][r][s]) + (sum[2][r][s] + sum[3][r][s]);
    }
}

/// The same with each sum formed as that of a row of x alone: in as many chains, but one chain after the other, as the
/// registers hold the sums of several rows only once.
template <class Arch, size_t m, class T, size_t rows>
inline void dot_lanes_alone(size_t k, const T* x, size_t x_stride, const T* const (&w)[rows],
                            Batch<T, Arch> (&total)[m][rows]) {
  using B = Batch<T, Arch>;
  constexpr size_t chains = RowsTogether<1>::chains;
  static_assert(chains == 4);
  B sums[chains][m][rows];
  for (size_t chain = 0; chain < chains; ++chain) {
    B sum[m][rows];
#pragma GCC unroll 4
    for (size_t r = 0; r < m; ++r)
#pragma GCC unroll 4
      for (size_t s = 0; s < rows; ++s) sum[r][s] = B(T(0));
    const auto add = [&](size_t p, auto count) {
      B left[m];
#pragma GCC unroll 4
      for (size_t r = 0; r < m; ++r) left[r] = load<Arch>(x + r * x_stride + p, count);
#pragma GCC unroll 4
      for (size_t s = 0; s < rows; ++s) {
        const B weights = load<Arch>(w[s] + p, count);
#pragma GCC unroll 4
        for (size_t r = 0; r < m; ++r) sum[r][s] = multiply_add(left[r], weights, sum[r][s]);
      }
    };
    constexpr std::integral_constant<size_t, B::size> whole;
    for (size_t p = chain * B::size; p + B::size <= k; p += chains * B::size) add(p, whole);
    if (chain + 1 == chains && k % B::size > 0) add(k / B::size * B::size, k % B::size);
#pragma GCC unroll 4
    for (size_t r = 0; r < m; ++r)
#pragma GCC unroll 4
      for (size_t s = 0; s < rows; ++s) sums[chain][r][s] = sum[r][s];
  }
#pragma GCC unroll 4
  for (size_t r = 0; r < m; ++r)
#pragma GCC unroll 4
    for (size_t s = 0; s < rows; ++s)
      total[r][s] = (sums[0][r][s] + sums[1][r][s]) + (sums[2][r][s] + sums[3][r][s]);
}

/// y[i] = Σ x[p] w[i * w_stride + p] for `m` rows of x and y at once, or += with `accumulate`. How a sum is formed
/// depends on k and m alone; with `alone` on k alone, as for one row.
template <class Arch, size_t m, bool alone = false, class T>
void multiply_rows(size_t n, size_t k, const T* x, size_t x_stride, const T* w, size_t w_stride, T* y, size_t y_stride,
                   bool accumulate) {
  using B = Batch<T, Arch>;
  constexpr size_t together = smaller(B::size, RowsTogether<alone ? 2 : m>::rows);
  for (size_t i = 0; i < n; i += B::size) {
    const size_t count = smaller(n - i, B::size);
    B sum[m][B::size];
    for (size_t row = 0; row < B::size; row += together) {
      const T* from[together];
#pragma GCC unroll 4
      for (size_t s = 0; s < together; ++s)  // beyond the end any row will do: its sum is not stored
        from[s] = w + (i + (row + s < count ? row + s : 0)) * w_stride;
      B part[m][together];
      if constexpr (alone)
        dot_lanes_alone<Arch, m>(k, x, x_stride, from, part);
      else
        dot_lanes<Arch, m>(k, x, x_stride, from, w_stride == k ? from[0] + together * k : nullptr, part);
#pragma GCC unroll 4
      for (size_t r = 0; r < m; ++r)
#pragma GCC unroll 4
        for (size_t s = 0; s < together; ++s) sum[r][row + s] = part[r][s];
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < m; ++r) {
      B total = sums_of_lanes(sum[r]);
      T* to = y + r * y_stride + i;
      if (accumulate) total += load_partial<Arch>(to, count);
      store_partial(to, total, count);
    }
  }
}

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

/// What a product of few rows (1 … 4) needs to know: A by its rows, B by rows or by columns, `b_stride` apart.
template <class T>
using FewRows = void (*)(size_t n, size_t k, const T* a, size_t a_stride, const T* b, size_t b_stride, T* c,
                         size_t c_stride, bool accumulate);

template <class Arch, class T>
inline constexpr FewRows<T> few_rows_by_columns[] = {multiply_rows<Arch, 1, false, T>, multiply_rows<Arch, 2, false, T>,
                                                     multiply_rows<Arch, 3, false, T>, multiply_rows<Arch, 4, false, T>};
template <class Arch, class T>
inline constexpr FewRows<T> few_rows_by_rows[] = {weighted_rows<Arch, 1, ColumnsTogether<T, Arch, 1>::vectors, T>,
                                                  weighted_rows<Arch, 2, ColumnsTogether<T, Arch, 2>::vectors, T>,
                                                  weighted_rows<Arch, 3, ColumnsTogether<T, Arch, 3>::vectors, T>,
                                                  weighted_rows<Arch, 4, ColumnsTogether<T, Arch, 4>::vectors, T>};

/// y = x Wᵀ for any number of rows, each with the bits that it has alone. As many rows of W as stay in L1 meet all rows
/// of x, so that each is read from memory once.
template <class Arch, class T>
void multiply_each_row(size_t m, size_t n, size_t k, const T* x, size_t x_stride, const T* w, size_t w_stride, T* y,
                       size_t y_stride) {
  static constexpr FewRows<T> tiles[] = {multiply_rows<Arch, 1, true, T>, multiply_rows<Arch, 2, true, T>,
                                         multiply_rows<Arch, 3, true, T>, multiply_rows<Arch, 4, true, T>};
  if (m == 1) return multiply_rows<Arch, 1>(n, k, x, x_stride, w, w_stride, y, y_stride, false);
  constexpr size_t most = TileShape<T, Arch>::sums >= 24 ? 4 : 2, size = Batch<T, Arch>::size;
  const size_t fitting = 16384 / sizeof(T) / (k + 1) / size * size, near = fitting > size ? fitting : size;
  for (size_t i = 0; i < n; i += near)
    for (size_t r = 0; r < m; r += most)
      tiles[smaller(m - r, most) - 1](smaller(n - i, near), k, x + r * x_stride, x_stride, w + i * w_stride, w_stride,
                                      y + r * y_stride + i, y_stride, false);
}

}  // namespace cria::simd::kernels
