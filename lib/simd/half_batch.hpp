// Half of an AVX-512 register of floats, with as much of a batch's vocabulary as the matrix product needs.
//
// The last columns of a product often fill no more than half of a batch, and heads of width 8 never do. CPUs that split
// a 512-bit instruction in two (Zen 4) do twice as many half ones in the same time. Where there is no half, NarrowBatch
// is the whole batch.
#pragma once

#include <type_traits>

#include "lib/simd/xsimd.hpp"

namespace cria::simd {

#ifdef __AVX512F__

template <class Arch>
struct HalfBatch {
  static constexpr size_t size = 8;
  __m256 lanes;

  HalfBatch() = default;
  HalfBatch(__m256 x) : lanes(x) {}
  explicit HalfBatch(float x) : lanes(_mm256_set1_ps(x)) {}
  static HalfBatch load_unaligned(const float* from) { return _mm256_loadu_ps(from); }
  void store_unaligned(float* to) const { _mm256_storeu_ps(to, lanes); }
  HalfBatch& operator+=(const HalfBatch& x) { return *this = _mm256_add_ps(lanes, x.lanes); }
};

template <class Arch>
inline HalfBatch<Arch> multiply_add(const HalfBatch<Arch>& x, const HalfBatch<Arch>& y, const HalfBatch<Arch>& z) {
  return _mm256_fmadd_ps(x.lanes, y.lanes, z.lanes);
}
template <class Arch>
inline HalfBatch<Arch> operator+(const HalfBatch<Arch>& x, const HalfBatch<Arch>& y) {
  return _mm256_add_ps(x.lanes, y.lanes);
}
template <class Arch>
inline void load_partial(HalfBatch<Arch>& into, const float* from, size_t count) {
  into = _mm512_castps512_ps256(load_partial<Arch>(from, count));
}
template <class Arch>
inline void store_partial(float* to, const HalfBatch<Arch>& x, size_t count) {
  _mm256_mask_storeu_ps(to, static_cast<__mmask8>((1u << count) - 1), x.lanes);
}

template <class T, class Arch>
using NarrowBatch = std::conditional_t<std::is_same_v<T, float>, HalfBatch<Arch>, Batch<T, Arch>>;

#else

template <class T, class Arch>
using NarrowBatch = Batch<T, Arch>;

#endif

/// load_partial for either kind of vector.
template <class T, class Arch>
inline void load_partial(xsimd::batch<T, Arch>& into, const T* from, size_t count) {
  into = load_partial<Arch>(from, count);
}

}  // namespace cria::simd
