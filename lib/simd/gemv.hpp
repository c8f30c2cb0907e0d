// A row of dot products: y[i] = x · row i of a matrix. All the work of decoding a token, where every weight is read
// once, so that its speed is that of memory.
#pragma once

#include "lib/simd/xsimd.hpp"

namespace cria::simd::kernels {

/// y[i] = Σ x[p] w[i * w_stride + p], or += with `accumulate`.
template <class Arch, class T>
void gemv(size_t n, size_t k, const T* x, const T* w, size_t w_stride, T* y, bool accumulate) {
  using B = Batch<T, Arch>;
  for (size_t i = 0; i < n; ++i, w += w_stride) {
    B sum[4] = {B(T(0)), B(T(0)), B(T(0)), B(T(0))};
    size_t p = 0;
    for (; p + 4 * B::size <= k; p += 4 * B::size)
#pragma GCC unroll 4
      for (size_t s = 0; s < 4; ++s)
        sum[s] = multiply_add(B::load_unaligned(x + p + s * B::size), B::load_unaligned(w + p + s * B::size), sum[s]);
    for (; p + B::size <= k; p += B::size)
      sum[0] = multiply_add(B::load_unaligned(x + p), B::load_unaligned(w + p), sum[0]);
    if (p < k) sum[1] = multiply_add(load_partial<Arch>(x + p, k - p), load_partial<Arch>(w + p, k - p), sum[1]);
    const T total = sum_of_lanes((sum[0] + sum[1]) + (sum[2] + sum[3]));
    y[i] = accumulate ? y[i] + total : total;
  }
}

}  // namespace cria::simd::kernels
