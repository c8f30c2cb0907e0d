// Few rows times a matrix stored by columns, which is what weights (out, in) are to x Wᵀ: rows of dot products. It is
// the work of decoding a token: every weight is read once, so nothing is packed, and the speed is that of memory.
#pragma once

#include "lib/simd/xsimd.hpp"

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

/// y[i] = Σ x[p] w[i * w_stride + p] for `m` rows of x and y at once, or += with `accumulate`. Each sum runs in one
/// batch along p, whose lanes are then added, whatever m and n are.
template <class Arch, size_t m, class T>
void multiply_rows(size_t n, size_t k, const T* x, size_t x_stride, const T* w, size_t w_stride, T* y, size_t y_stride,
                   bool accumulate) {
  using B = Batch<T, Arch>;
  // Rows of W read side by side: enough sums to hide the latency of the FMA, few enough streams for the prefetchers.
  constexpr size_t together = smaller(B::size, m == 1 ? 8 : 4);
  for (size_t i = 0; i < n; i += B::size) {
    B sum[m][B::size];
    for (size_t row = 0; row < B::size; row += together) {
      B part[m][together];
#pragma GCC unroll 4
      for (size_t r = 0; r < m; ++r)
#pragma GCC unroll 8
        for (size_t s = 0; s < together; ++s) part[r][s] = B(T(0));
      // Beyond the last row the first one is read again; its sums are not stored.
      const T* from[together];
#pragma GCC unroll 8
      for (size_t s = 0; s < together; ++s) from[s] = w + (i + row + s < n ? i + row + s : 0) * w_stride;

      size_t p = 0;
      for (; p + B::size <= k; p += B::size) {
        B left[m];
#pragma GCC unroll 4
        for (size_t r = 0; r < m; ++r) left[r] = B::load_unaligned(x + r * x_stride + p);
#pragma GCC unroll 8
        for (size_t s = 0; s < together; ++s) {
          const B weights = B::load_unaligned(from[s] + p);
#pragma GCC unroll 4
          for (size_t r = 0; r < m; ++r) part[r][s] = multiply_add(left[r], weights, part[r][s]);
        }
      }
      if (p < k)
#pragma GCC unroll 8
        for (size_t s = 0; s < together; ++s) {
          const B weights = load_partial<Arch>(from[s] + p, k - p);
#pragma GCC unroll 4
          for (size_t r = 0; r < m; ++r)
            part[r][s] = multiply_add(load_partial<Arch>(x + r * x_stride + p, k - p), weights, part[r][s]);
        }
#pragma GCC unroll 4
      for (size_t r = 0; r < m; ++r)
#pragma GCC unroll 8
        for (size_t s = 0; s < together; ++s) sum[r][row + s] = part[r][s];
    }

    const size_t count = smaller(n - i, B::size);
#pragma GCC unroll 4
    for (size_t r = 0; r < m; ++r) {
      B total = sums_of_lanes(sum[r]);
      T* to = y + r * y_stride + i;
      if (accumulate) total += load_partial<Arch>(to, count);
      store_partial(to, total, count);
    }
  }
}

/// multiply_rows for m known only now, 1 … most_rows.
template <class Arch, class T>
void gemv(size_t m, size_t n, size_t k, const T* x, size_t x_stride, const T* w, size_t w_stride, T* y, size_t y_stride,
          bool accumulate) {
  constexpr decltype(&multiply_rows<Arch, 1, T>) rows[] = {multiply_rows<Arch, 1, T>, multiply_rows<Arch, 2, T>,
                                                           multiply_rows<Arch, 3, T>, multiply_rows<Arch, 4, T>};
  rows[m - 1](n, k, x, x_stride, w, w_stride, y, y_stride, accumulate);
}

}  // namespace cria::simd::kernels
