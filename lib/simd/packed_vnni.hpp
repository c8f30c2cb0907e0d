// Codes times activations with AVX-512 VNNI: 16 rows. One of the few files with intrinsics: xsimd has no word for
// vpdpbusd, which multiplies four unsigned by four signed bytes and adds the products to a lane of 32 bits.
//
// What is due for codes that stand for code - zero is -zero times the sum of the activations' codes, which is known
// beforehand: the sum begins there, and costs nothing.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace cria::simd::kernels {

template <size_t bits>
struct Vnni {
  // Of 32 registers 24 are sums, whole and not; with weights of one group and their halves that fills them.
  static constexpr size_t size = 16, groups = 2, tokens = 6;
  using Codes = __m512i;
  using Sums = __m512i;
  using Numbers = __m512;

  static Numbers zeros() { return _mm512_setzero_ps(); }
  static Numbers all(float x) { return _mm512_set1_ps(x); }
  static Numbers widen(const std::byte* halves) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(halves)));
  }
  static Numbers times(Numbers x, float y) { return _mm512_mul_ps(x, _mm512_set1_ps(y)); }
  static Numbers multiply_add(Numbers x, Numbers y, Numbers z) { return _mm512_fmadd_ps(x, y, z); }
  static void store(float* to, Numbers x) { _mm512_storeu_ps(to, x); }

  static Codes load(const std::byte* from) { return _mm512_loadu_si512(from); }
  static Codes codes(Codes x) { return x; }
  static Codes low(Codes x) { return _mm512_and_si512(x, _mm512_set1_epi8(15)); }
  static Codes high(Codes x) { return low(_mm512_srli_epi16(x, 4)); }
  static Sums begin(std::int32_t due) { return _mm512_set1_epi32(due); }
  static Sums add(Sums sums, Codes codes, const std::int8_t* x) {
    std::int32_t four;
    __builtin_memcpy(&four, x, 4);
    return _mm512_dpbusd_epi32(sums, codes, _mm512_set1_epi32(four));
  }
  static Numbers end(Sums sums, std::int32_t) { return _mm512_cvtepi32_ps(sums); }
};

}  // namespace cria::simd::kernels
