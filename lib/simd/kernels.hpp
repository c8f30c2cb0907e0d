// The primitives over vectors, written once for every instruction set. A loop takes whole batches, then one partial
// batch whose missing lanes are zeros, so there is no scalar tail and any size runs at speed.
#pragma once

#include "lib/simd/exp.hpp"
#include "lib/simd/xsimd.hpp"

namespace cria::simd::kernels {

/// Calls step(i, count) for the batches of 0 … n-1: count is the whole batch's size but in the last call, where it may
/// be less. `step` is inlined twice, and in the first copy `count` is a constant.
template <size_t size, class Step>
inline void for_each_batch(size_t n, Step step) {
  size_t i = 0;
  for (; i + size <= n; i += size) step(i, std::integral_constant<size_t, size>{});
  if (i < n) step(i, n - i);
}

template <class Arch, class T, size_t size>
inline Batch<T, Arch> load(const T* from, std::integral_constant<size_t, size>) {
  return Batch<T, Arch>::load_unaligned(from);
}
template <class Arch, class T>
inline Batch<T, Arch> load(const T* from, size_t count) {
  return load_partial<Arch>(from, count);
}
template <class Arch, class T, size_t size>
inline void store(T* to, const Batch<T, Arch>& x, std::integral_constant<size_t, size>) {
  x.store_unaligned(to);
}
template <class Arch, class T>
inline void store(T* to, const Batch<T, Arch>& x, size_t count) {
  store_partial(to, x, count);
}

template <class Arch, class T>
T dot(const T* x, const T* y, size_t n) {
  using B = Batch<T, Arch>;
  // An FMA takes 4 cycles, and two loads (x and y) allow one or half of one a cycle: 4 independent sums keep it busy.
  B sum[4] = {B(T(0)), B(T(0)), B(T(0)), B(T(0))};
  size_t i = 0;
  for (; i + 4 * B::size <= n; i += 4 * B::size)
    for (size_t s = 0; s < 4; ++s)
      sum[s] = multiply_add(B::load_unaligned(x + i + s * B::size), B::load_unaligned(y + i + s * B::size), sum[s]);
  for (; i + B::size <= n; i += B::size)
    sum[0] = multiply_add(B::load_unaligned(x + i), B::load_unaligned(y + i), sum[0]);
  if (i < n) sum[1] = multiply_add(load_partial<Arch>(x + i, n - i), load_partial<Arch>(y + i, n - i), sum[1]);
  return sum_of_lanes((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

template <class Arch, class T>
void axpy(T a, const T* x, T* y, size_t n) {
  const Batch<T, Arch> factor(a);
  for_each_batch<Batch<T, Arch>::size>(n, [=](size_t i, auto count) {
    store<Arch>(y + i, multiply_add(factor, load<Arch>(x + i, count), load<Arch>(y + i, count)), count);
  });
}

template <class Arch, class T>
void exp(const T* x, T factor, T offset, T* y, size_t n) {
  const Batch<T, Arch> scale(factor), shift(offset);
  for_each_batch<Batch<T, Arch>::size>(n, [=](size_t i, auto count) {
    store<Arch>(y + i, exponential(multiply_add(load<Arch>(x + i, count), scale, shift)), count);
  });
}

template <class Arch, class T>
void sigmoid(const T* x, T factor, T offset, T* y, size_t n) {
  const Batch<T, Arch> scale(-factor), shift(-offset), one(T(1));
  for_each_batch<Batch<T, Arch>::size>(n, [=](size_t i, auto count) {
    const auto e = exponential(multiply_add(load<Arch>(x + i, count), scale, shift));
    store<Arch>(y + i, one / (one + e), count);
  });
}

template <class Arch, class T>
T softmax(T* x, size_t n) {
  using B = Batch<T, Arch>;
  if (n == 0) return 0;
  B largest(x[0]);
  size_t i = 0;
  for (; i + B::size <= n; i += B::size) largest = xsimd::max(largest, B::load_unaligned(x + i));
  if (i < n && n >= B::size) largest = xsimd::max(largest, B::load_unaligned(x + n - B::size)), i = n;
  T max = max_of_lanes(largest);
  for (; i < n; ++i) max = x[i] > max ? x[i] : max;

  const B shift(max);
  B sum(T(0));
  for_each_batch<B::size>(n, [&, x](size_t j, auto count) {
    const B e = exponential(load<Arch>(x + j, count) - shift);
    store<Arch>(x + j, e, count);
    // The lanes beyond the end hold exp(-max).
    if constexpr (std::is_same_v<decltype(count), size_t>)
      sum += first_of(e, count);
    else
      sum += e;
  });
  const T total = sum_of_lanes(sum);
  const B factor(1 / total);
  for_each_batch<B::size>(n,
                          [=](size_t j, auto count) { store<Arch>(x + j, load<Arch>(x + j, count) * factor, count); });
  if constexpr (sizeof(T) == sizeof(float))
    return max + __builtin_logf(total);
  else
    return max + __builtin_log(total);
}

}  // namespace cria::simd::kernels
