// Products of few rows, 1 to 4, which is the work of decoding a token. Every number of the large matrix is read once,
// so nothing is packed, and the speed is that of memory.
//
// Weights (out, in) are stored by columns to x Wᵀ: its columns are dot products with W's rows. A matrix that is stored
// by rows is weighted_rows.hpp's.
//
// Decoding several texts at once multiplies a row of each by the same weights. Each has to come out as it does alone,
// so there are products of any number of rows that form every sum as a product of one row does.
#pragma once

#include "lib/simd/weighted_rows.hpp"

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

/// sum[r][s] += x[r] w[s] in the batch of columns from p on, of which `count` exist.
template <class Arch, size_t m, class T, size_t rows, class Count>
inline __attribute__((always_inline)) void add_products(const T* x, size_t x_stride, const T* const (&w)[rows],
                                                        size_t p, Count count, Batch<T, Arch> (&sum)[m][rows]) {
  Batch<T, Arch> left[m];
#pragma GCC unroll 4
  for (size_t r = 0; r < m; ++r) left[r] = load<Arch>(x + r * x_stride + p, count);
#pragma GCC unroll 4
  for (size_t s = 0; s < rows; ++s) {
    const Batch<T, Arch> weights = load<Arch>(w[s] + p, count);
#pragma GCC unroll 4
    for (size_t r = 0; r < m; ++r) sum[r][s] = multiply_add(left[r], weights, sum[r][s]);
  }
}

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
    add_products<Arch, m>(x, x_stride, w, p, count, sum[chain]);
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
/// registers hold the sums of several rows only once. `next` as above; without it memory would be waited for, as CPUs
/// do not see where chains go on.
template <class Arch, size_t m, class T, size_t rows>
inline void dot_lanes_alone(size_t k, const T* x, size_t x_stride, const T* const (&w)[rows], const T* next,
                            Batch<T, Arch> (&total)[m][rows]) {
  using B = Batch<T, Arch>;
  constexpr size_t line = 64 / sizeof(T);
  constexpr size_t chains = RowsTogether<1>::chains;
  static_assert(chains == 4);
  B sums[chains][m][rows];
  for (size_t chain = 0; chain < chains; ++chain) {
    B sum[m][rows];
#pragma GCC unroll 4
    for (size_t r = 0; r < m; ++r)
#pragma GCC unroll 4
      for (size_t s = 0; s < rows; ++s) sum[r][s] = B(T(0));
    constexpr std::integral_constant<size_t, B::size> whole;
    for (size_t p = chain * B::size; p + B::size <= k; p += chains * B::size) {
      if (next) {
#pragma GCC unroll 4
        for (size_t at = 0; at < rows * B::size; at += line) __builtin_prefetch(next + at, 0, 2);
        next += rows * B::size;
      }
      add_products<Arch, m>(x, x_stride, w, p, whole, sum);
    }
    if (chain + 1 == chains && k % B::size > 0)
      add_products<Arch, m>(x, x_stride, w, k / B::size * B::size, k % B::size, sum);
#pragma GCC unroll 4
    for (size_t r = 0; r < m; ++r)
#pragma GCC unroll 4
      for (size_t s = 0; s < rows; ++s) sums[chain][r][s] = sum[r][s];
  }
#pragma GCC unroll 4
  for (size_t r = 0; r < m; ++r)
#pragma GCC unroll 4
    for (size_t s = 0; s < rows; ++s) total[r][s] = (sums[0][r][s] + sums[1][r][s]) + (sums[2][r][s] + sums[3][r][s]);
}

/// y[i] = Σ x[p] w[i * w_stride + p] for `m` rows of x and y at once, or += with `accumulate`. How a sum is formed
/// depends on k and m alone; with `alone` on k alone, as for one row. Where W is near already, `far` is false.
template <class Arch, size_t m, bool alone = false, bool far = true, class T>
void multiply_rows(size_t n, size_t k, const T* x, size_t x_stride, const T* w, size_t w_stride, T* y, size_t y_stride,
                   bool accumulate) {
  using B = Batch<T, Arch>;
  constexpr size_t together = smaller(B::size, RowsTogether < alone ? 2 : m > ::rows);
  for (size_t i = 0; i < n; i += B::size) {
    const size_t count = smaller(n - i, B::size);
    B sum[m][B::size];
    for (size_t row = 0; row < B::size; row += together) {
      const T* from[together];
#pragma GCC unroll 4
      for (size_t s = 0; s < together; ++s)  // beyond the end any row will do: its sum is not stored
        from[s] = w + (i + (row + s < count ? row + s : 0)) * w_stride;
      B part[m][together];
      const T* next = far && w_stride == k ? from[0] + together * k : nullptr;
      if constexpr (alone)
        dot_lanes_alone<Arch, m>(k, x, x_stride, from, next, part);
      else
        dot_lanes<Arch, m>(k, x, x_stride, from, next, part);
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

/// What a product of few rows (1 … 4) needs to know: A by its rows, B by rows or by columns, `b_stride` apart.
template <class T>
using FewRows = void (*)(size_t n, size_t k, const T* a, size_t a_stride, const T* b, size_t b_stride, T* c,
                         size_t c_stride, bool accumulate);

template <class Arch, class T>
inline constexpr FewRows<T> few_rows_by_columns[] = {
    multiply_rows<Arch, 1, false, true, T>, multiply_rows<Arch, 2, false, true, T>,
    multiply_rows<Arch, 3, false, true, T>, multiply_rows<Arch, 4, false, true, T>};
template <class Arch, class T, bool far>
inline constexpr FewRows<T> few_rows_alone[] = {
    multiply_rows<Arch, 1, true, far, T>, multiply_rows<Arch, 2, true, far, T>, multiply_rows<Arch, 3, true, far, T>,
    multiply_rows<Arch, 4, true, far, T>};
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
  if (m == 1) return multiply_rows<Arch, 1>(n, k, x, x_stride, w, w_stride, y, y_stride, false);
  constexpr size_t most = TileShape<T, Arch>::sums >= 24 ? 4 : 2, size = Batch<T, Arch>::size;
  const size_t fitting = 16384 / sizeof(T) / (k + 1) / size * size, near = fitting > size ? fitting : size;
  const bool large = n * k * sizeof(T) > 256 << 10;  // a smaller one has stayed near since the last pass
  for (size_t i = 0; i < n; i += near)
    for (size_t r = 0; r < m; r += most) {
      const auto& tiles = r == 0 && large ? few_rows_alone<Arch, T, true> : few_rows_alone<Arch, T, false>;
      tiles[smaller(m - r, most) - 1](smaller(n - i, near), k, x + r * x_stride, x_stride, w + i * w_stride, w_stride,
                                      y + r * y_stride + i, y_stride, false);
    }
}

}  // namespace cria::simd::kernels
