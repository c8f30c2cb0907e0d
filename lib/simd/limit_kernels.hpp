// The loops of limits.hpp, written once for every instruction set.
#pragma once

#include "lib/simd/limits.hpp"
#include "lib/simd/xsimd.hpp"

namespace cria::simd::kernels {

// 12 sums hide the latency of the FMA (4 cycles, 2 a cycle: at least 8), and fit into the 16 registers of AVX2.
static constexpr size_t limit_sums = 12;

template <class Arch, class T>
T limit_multiply_add(size_t rounds, T factor, T summand) {
  using B = Batch<T, Arch>;
  const B scale(factor), shift(summand);
  B sum[limit_sums];
#pragma GCC unroll 12
  for (size_t s = 0; s < limit_sums; ++s) sum[s] = B(T(s));
  for (size_t round = 0; round < rounds; ++round)
#pragma GCC unroll 12
    for (size_t s = 0; s < limit_sums; ++s) sum[s] = multiply_add(sum[s], scale, shift);
#pragma GCC unroll 12
  for (size_t s = 1; s < limit_sums; ++s) sum[0] += sum[s];
  return sum_of_lanes(sum[0]);
}

template <class Arch, class T>
T limit_read(const T* x, size_t n) {
  using B = Batch<T, Arch>;
  constexpr size_t together = 8;
  B sum[together];
#pragma GCC unroll 8
  for (size_t s = 0; s < together; ++s) sum[s] = B(T(0));
  size_t i = 0;
  for (; i + together * B::size <= n; i += together * B::size)
#pragma GCC unroll 8
    for (size_t s = 0; s < together; ++s) sum[s] += B::load_unaligned(x + i + s * B::size);
  T rest = 0;
  for (; i < n; ++i) rest += x[i];
#pragma GCC unroll 8
  for (size_t s = 1; s < together; ++s) sum[0] += sum[s];
  return sum_of_lanes(sum[0]) + rest;
}

template <class Arch>
constexpr LimitLoops limit_loops() {
  return {.multiply_add = limit_multiply_add<Arch, real>,
          .operations_per_round = 2 * limit_sums * Batch<real, Arch>::size,
          .read = limit_read<Arch, real>};
}

}  // namespace cria::simd::kernels
