// Codes times activations with AVX-512 VNNI: 16 rows. One of the few files with intrinsics: xsimd has no word for
// vpdpbusd, which multiplies four unsigned by four signed bytes and adds the products to a lane of 32 bits.
//
// What is due for codes that stand for code - zero is -zero times the sum of the activations' codes, which is known
// beforehand: the sum begins there, and costs nothing.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "lib/simd/block_form.hpp"

namespace cria::simd::kernels {

template <size_t bits>
struct Vnni {
  // Of 32 registers 24 are sums, whole and not; with weights of one group and their halves that fills them.
  static constexpr size_t size = 16, groups = 2, tokens = 6;
  using Bytes = __m512i;
  using Sums = __m512i;
  using Numbers = __m512;

  static Numbers zeros() { return _mm512_setzero_ps(); }
  static Numbers all(float x) { return _mm512_set1_ps(x); }
  static Numbers widen(const std::byte* halves) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(halves)));
  }
  static Numbers whole(const std::byte* bytes) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes))));
  }
  static Numbers times(Numbers x, Numbers y) { return _mm512_mul_ps(x, y); }
  static Numbers multiply_add(Numbers x, Numbers y, Numbers z) { return _mm512_fmadd_ps(x, y, z); }
  static void store(float* to, Numbers x) { _mm512_storeu_ps(to, x); }

  /// `width` bits of each byte, from bit `from` of it to bit `to`.
  template <size_t width, size_t from, size_t to>
  static Bytes take(const std::byte* memory) {
    Bytes x = _mm512_loadu_si512(memory);
    if constexpr (from > to) x = _mm512_srli_epi16(x, from - to);
    if constexpr (from < to) x = _mm512_slli_epi16(x, to - from);
    return width == 8 ? x : _mm512_and_si512(x, _mm512_set1_epi8(((1 << width) - 1) << to));
  }
  static Bytes either(Bytes x, Bytes y) { return _mm512_or_si512(x, y); }
  static Bytes levels(Bytes places) {
    const __m128i table = _mm_loadu_si128(reinterpret_cast<const __m128i*>(iq4_levels));
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_xor_si128(table, _mm_set1_epi8(-128))), places);
  }
  static Bytes codes(Bytes x) { return x; }
  static Sums begin(std::int32_t due) { return _mm512_set1_epi32(due); }
  static Sums add(Sums sums, Bytes codes, const std::int8_t* x) {
    std::int32_t four;
    __builtin_memcpy(&four, x, 4);
    return _mm512_dpbusd_epi32(sums, codes, _mm512_set1_epi32(four));
  }
  static Numbers end(Sums sums, std::int32_t) { return _mm512_cvtepi32_ps(sums); }
};

}  // namespace cria::simd::kernels
