// Numbers of 16 bits, to and from floats, and their dot product with floats; and blocks of 8 bits with such a scale.
// One of the few files with intrinsics: xsimd has no word for F16C, nor for the halves of registers that they fill.
//
// bfloat16 is the upper half of a float. It is rounded with integers: the instruction of AVX512-BF16 takes subnormal
// numbers for zero.
#pragma once

#include "lib/simd/kernels.hpp"
#include "lib/simd/targets.hpp"

namespace cria::simd::kernels {

// For each instruction set: `Half`, as many 16-bit numbers as a batch holds floats, and what can be done with it.
#if defined(__AVX512F__)

using Half = __m256i;

template <class Arch>
inline Half load_half(const void* from, size_t count) {
  return _mm256_maskz_loadu_epi16(static_cast<__mmask16>((1u << count) - 1), from);
}
template <class Arch>
inline void store_half(void* to, Half x, size_t count) {
  _mm256_mask_storeu_epi16(to, static_cast<__mmask16>((1u << count) - 1), x);
}
template <class Arch>
inline Batch<float, Arch> from_float16(Half x) {
  return _mm512_cvtph_ps(x);
}
template <class Arch>
inline Half to_float16(const Batch<float, Arch>& x) {
  return _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT);
}
template <class Arch>
inline Batch<float, Arch> from_upper_half(Half x) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16));
}
template <class Arch>
inline Half to_bfloat16(const Batch<float, Arch>& x) {
  const __m512i bits = _mm512_castps_si512(x), upper = _mm512_srli_epi32(bits, 16);
  const __m512i odd = _mm512_and_si512(upper, _mm512_set1_epi32(1));
  const __m512i rounded =
      _mm512_srli_epi32(_mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))), 16);
  const __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
  return _mm512_cvtepi32_epi16(_mm512_mask_or_epi32(rounded, nan, upper, _mm512_set1_epi32(0x40)));
}

#elif defined(__AVX2__)

using Half = __m128i;

template <class Arch>
inline Half load_half(const void* from, size_t count) {
  if (count == 8) return _mm_loadu_si128(static_cast<const __m128i*>(from));
  Half x = _mm_setzero_si128();
  __builtin_memcpy(&x, from, 2 * count);
  return x;
}
template <class Arch>
inline void store_half(void* to, Half x, size_t count) {
  if (count == 8) return _mm_storeu_si128(static_cast<__m128i*>(to), x);
  __builtin_memcpy(to, &x, 2 * count);
}
template <class Arch>
inline Batch<float, Arch> from_float16(Half x) {
  return _mm256_cvtph_ps(x);
}
template <class Arch>
inline Half to_float16(const Batch<float, Arch>& x) {
  return _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT);
}
template <class Arch>
inline Batch<float, Arch> from_upper_half(Half x) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(x), 16));
}
template <class Arch>
inline Half to_bfloat16(const Batch<float, Arch>& x) {
  const __m256i bits = _mm256_castps_si256(x), upper = _mm256_srli_epi32(bits, 16);
  const __m256i odd = _mm256_and_si256(upper, _mm256_set1_epi32(1));
  const __m256i rounded =
      _mm256_srli_epi32(_mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff))), 16);
  const __m256i quiet = _mm256_or_si256(upper, _mm256_set1_epi32(0x40));
  const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
  const __m256i result = _mm256_blendv_epi8(rounded, quiet, nan);
  return _mm_packus_epi32(_mm256_castsi256_si128(result), _mm256_extracti128_si256(result, 1));
}

#elif defined(__aarch64__)

using Half = uint16x4_t;

template <class Arch>
inline Half load_half(const void* from, size_t count) {
  Half x = vdup_n_u16(0);
  __builtin_memcpy(&x, from, 2 * count);
  return x;
}
template <class Arch>
inline void store_half(void* to, Half x, size_t count) {
  __builtin_memcpy(to, &x, 2 * count);
}
template <class Arch>
inline Batch<float, Arch> from_float16(Half x) {
  return vcvt_f32_f16(vreinterpret_f16_u16(x));
}
template <class Arch>
inline Half to_float16(const Batch<float, Arch>& x) {
  return vreinterpret_u16_f16(vcvt_f16_f32(x));
}
template <class Arch>
inline Batch<float, Arch> from_upper_half(Half x) {
  return vreinterpretq_f32_u32(vshll_n_u16(x, 16));
}
template <class Arch>
inline Half to_bfloat16(const Batch<float, Arch>& x) {
  const float32x4_t number = x;
  const uint32x4_t bits = vreinterpretq_u32_f32(number), upper = vshrq_n_u32(bits, 16);
  const uint32x4_t odd = vandq_u32(upper, vdupq_n_u32(1));
  const uint32x4_t rounded = vshrq_n_u32(vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7fff))), 16);
  const uint32x4_t quiet = vorrq_u32(upper, vdupq_n_u32(0x40));
  return vmovn_u32(vbslq_u32(vceqq_f32(number, number), rounded, quiet));
}

#endif

template <class Arch>
inline Batch<float, Arch> load_wide(const Float16* from, size_t count) {
  return from_float16<Arch>(load_half<Arch>(from, count));
}
template <class Arch>
inline Batch<float, Arch> load_wide(const BFloat16* from, size_t count) {
  return from_upper_half<Arch>(load_half<Arch>(from, count));
}
template <class Arch>
inline void store_narrow(Float16* to, const Batch<float, Arch>& x, size_t count) {
  store_half<Arch>(to, to_float16(x), count);
}
template <class Arch>
inline void store_narrow(BFloat16* to, const Batch<float, Arch>& x, size_t count) {
  store_half<Arch>(to, to_bfloat16(x), count);
}

template <class Arch, class Stored>
void widen(const Stored* x, float* y, size_t n) {
  for_each_batch<Batch<float, Arch>::size>(
      n, [=](size_t i, auto count) { store<Arch>(y + i, load_wide<Arch>(x + i, count), count); });
}

/// The loop over a block is one that the compiler turns into vectors.
template <class Arch, class T>
void widen_blocks(const BlockQ8_0* x, T* y, size_t blocks) {
  for (size_t b = 0; b < blocks; ++b, y += BlockQ8_0::numbers) {
    float scale[Batch<float, Arch>::size];
    load_wide<Arch>(reinterpret_cast<const Float16*>(&x[b].scale), 1).store_unaligned(scale);
    for (size_t i = 0; i < BlockQ8_0::numbers; ++i) y[i] = T(scale[0]) * T(x[b].codes[i]);
  }
}

template <class Arch, class Stored>
void narrow(const float* x, Stored* y, size_t n) {
  for_each_batch<Batch<float, Arch>::size>(
      n, [=](size_t i, auto count) { store_narrow<Arch>(y + i, load<Arch>(x + i, count), count); });
}

template <class Arch, class Stored>
float dot_stored(const Stored* x, const float* y, size_t n) {
  using B = Batch<float, Arch>;
  constexpr size_t ahead = 4096;                // bytes, as of codes in blocks: rows follow each other
  B sum[4] = {B(0.f), B(0.f), B(0.f), B(0.f)};  // as in the dot product of floats
  size_t i = 0;
  for (; i + 4 * B::size <= n; i += 4 * B::size) {
#pragma GCC unroll 2
    for (size_t line = 0; line < 4 * B::size * sizeof(Stored); line += 64)
      __builtin_prefetch(reinterpret_cast<const char*>(x + i) + ahead + line);
#pragma GCC unroll 4
    for (size_t s = 0; s < 4; ++s)
      sum[s] =
          multiply_add(load_wide<Arch>(x + i + s * B::size, B::size), B::load_unaligned(y + i + s * B::size), sum[s]);
  }
  for_each_batch<B::size>(n - i, [&, i](size_t j, auto count) {
    sum[0] = multiply_add(load_wide<Arch>(x + i + j, count), load<Arch>(y + i + j, count), sum[0]);
  });
  return sum_of_lanes((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

// With CRIA_DOUBLE there is nothing to gain.
template <class Arch, class Stored>
void widen(const Stored* x, double* y, size_t n) {
  portable::widen(x, y, n);
}
template <class Arch, class Stored>
void narrow(const double* x, Stored* y, size_t n) {
  portable::narrow(x, y, n);
}
template <class Arch, class Stored>
double dot_stored(const Stored* x, const double* y, size_t n) {
  return portable::dot(x, y, n);
}

}  // namespace cria::simd::kernels
