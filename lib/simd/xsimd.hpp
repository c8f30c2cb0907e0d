// xsimd as the kernels see it: one vocabulary over versions 8.1 (Debian 12) to 13, and the words that it lacks.
//
// Everything here is a template over the architecture, so that each target's functions have names of their own: two
// files compiled with different flags can then never exchange theirs through the linker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <xsimd/xsimd.hpp>

#if defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace cria::simd {

using std::size_t;

template <class T, class Arch>
using Batch = xsimd::batch<T, Arch>;

/// std::min by another name: a copy of that compiled here could be the one that the linker keeps for older CPUs.
static constexpr size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/// x y + z, rounded once. xsimd 8.1 has no AVX-512 form: gcc contracts its product and sum, clang does not.
template <class T, class Arch>
inline Batch<T, Arch> multiply_add(const Batch<T, Arch>& x, const Batch<T, Arch>& y, const Batch<T, Arch>& z) {
#ifdef __AVX512F__
  if constexpr (sizeof(Batch<T, Arch>) == 64) {
    if constexpr (sizeof(T) == 4)
      return _mm512_fmadd_ps(x, y, z);
    else
      return _mm512_fmadd_pd(x, y, z);
  } else
#endif
    return xsimd::fma(x, y, z);
}

/// The sum of all lanes.
template <class T, class Arch>
inline T sum_of_lanes(const Batch<T, Arch>& x) {
#if XSIMD_VERSION_MAJOR < 9
  return xsimd::hadd(x);
#else
  return xsimd::reduce_add(x);
#endif
}

#if defined(__AVX2__) && !defined(__AVX512F__)
/// The mask of AVX2 for the first `count` of 8 (or, counting pairs, 4) lanes: all ones, then zeros.
template <class Arch>
inline __m256i first_lanes(size_t count) {
  alignas(64) static constexpr std::int32_t ones_then_zeros[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(ones_then_zeros + 8 - count));
}
#endif

/// The first `count` numbers at `from`, at most a batch of them, and zeros. Nothing beyond them is read.
template <class Arch, class T>
inline Batch<T, Arch> load_partial(const T* from, size_t count) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4)
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), from);
  else
    return _mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << count) - 1), from);
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == 4)
    return _mm256_maskload_ps(from, first_lanes<Arch>(count));
  else
    return _mm256_maskload_pd(from, first_lanes<Arch>(2 * count));
#else
  alignas(64) T lanes[Batch<T, Arch>::size] = {};
  for (size_t i = 0; i < count; ++i) lanes[i] = from[i];
  return Batch<T, Arch>::load_aligned(lanes);
#endif
}

/// Writes the first `count` lanes, and nothing beyond them.
template <class T, class Arch>
inline void store_partial(T* to, const Batch<T, Arch>& x, size_t count) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4)
    _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << count) - 1), x);
  else
    _mm512_mask_storeu_pd(to, static_cast<__mmask8>((1u << count) - 1), x);
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == 4)
    _mm256_maskstore_ps(to, first_lanes<Arch>(count), x);
  else
    _mm256_maskstore_pd(to, first_lanes<Arch>(2 * count), x);
#else
  alignas(64) T lanes[Batch<T, Arch>::size];
  x.store_aligned(lanes);
  for (size_t i = 0; i < count; ++i) to[i] = lanes[i];
#endif
}

/// x 2^n for a whole n that is a normal exponent; AVX-512 has an instruction for it.
template <class T, class Arch>
inline Batch<T, Arch> times_power_of_two(const Batch<T, Arch>& x, const Batch<T, Arch>& n) {
#ifdef __AVX512F__
  if constexpr (sizeof(T) == 4)
    return _mm512_scalef_ps(x, n);
  else
    return _mm512_scalef_pd(x, n);
#else
  return xsimd::ldexp(x, xsimd::to_int(n));
#endif
}

/// The first `count` lanes, and zeros.
template <class T, class Arch>
inline Batch<T, Arch> first_of(const Batch<T, Arch>& x, size_t count) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4)
    return _mm512_maskz_mov_ps(static_cast<__mmask16>((1u << count) - 1), x);
  else
    return _mm512_maskz_mov_pd(static_cast<__mmask8>((1u << count) - 1), x);
#else
  alignas(64) T lanes[Batch<T, Arch>::size];
  x.store_aligned(lanes);
  return load_partial<Arch>(lanes, count);
#endif
}

/// Half of the interleaved pair: x[0] y[0] x[1] y[1] … from the lower or the upper half of both. (xsimd's zip works per
/// 128 bits in some versions and over the whole register in others; the vector types of gcc and clang are definite.)
template <bool upper, class T, class Arch, size_t... lane>
inline Batch<T, Arch> interleave(const Batch<T, Arch>& x, const Batch<T, Arch>& y, std::index_sequence<lane...>) {
  using Register = typename Batch<T, Arch>::register_type;
  constexpr size_t size = sizeof...(lane), first = upper ? size / 2 : 0;
  return static_cast<Register>(__builtin_shufflevector(static_cast<Register>(x), static_cast<Register>(y),
                                                       (first + lane / 2 + lane % 2 * size)...));
}

/// The largest lane, by halves: each round compares the lower half of the lanes with the upper.
template <class T, class Arch>
inline T max_of_lanes(Batch<T, Arch> x) {
  constexpr std::make_index_sequence<Batch<T, Arch>::size> lanes;
  for (size_t left = Batch<T, Arch>::size; left > 1; left /= 2)
    x = xsimd::max(interleave<false>(x, x, lanes), interleave<true>(x, x, lanes));
  return static_cast<typename Batch<T, Arch>::register_type>(x)[0];
}

/// Transposes a square of batches in registers: log2(size) rounds, each interleaving the first half of the rows with
/// the second, as one riffles cards; the index bits of row and lane rotate by one each round until they have changed
/// places.
template <class T, class Arch, size_t size>
inline void transpose(xsimd::batch<T, Arch> (&rows)[size]) {
  static_assert(size == Batch<T, Arch>::size);
  constexpr std::make_index_sequence<size> lanes;
#pragma GCC unroll 4
  for (size_t round = 1; round < size; round *= 2) {
    Batch<T, Arch> next[size];
#pragma GCC unroll 8
    for (size_t i = 0; i < size / 2; ++i) {
      next[2 * i] = interleave<false>(rows[i], rows[i + size / 2], lanes);
      next[2 * i + 1] = interleave<true>(rows[i], rows[i + size / 2], lanes);
    }
#pragma GCC unroll 16
    for (size_t i = 0; i < size; ++i) rows[i] = next[i];
  }
}

}  // namespace cria::simd
