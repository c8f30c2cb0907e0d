// Codes times activations with AVX2: 8 rows. One of the few files with intrinsics: xsimd has no word for vpmaddubsw,
// which multiplies unsigned by signed bytes and adds two products in 16 bits, saturating.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "lib/simd/block_form.hpp"

namespace cria::simd::kernels {

struct Avx2Floats {
  static constexpr size_t size = 8, groups = 1, tokens = 2;
  using Bytes = __m256i;
  using Numbers = __m256;

  static Numbers zeros() { return _mm256_setzero_ps(); }
  static Numbers all(float x) { return _mm256_set1_ps(x); }
  static Numbers widen(const std::byte* halves) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(halves)));
  }
  static Numbers whole(const std::byte* bytes) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes))));
  }
  static Numbers times(Numbers x, Numbers y) { return _mm256_mul_ps(x, y); }
  static Numbers multiply_add(Numbers x, Numbers y, Numbers z) { return _mm256_fmadd_ps(x, y, z); }
  static void store(float* to, Numbers x) { _mm256_storeu_ps(to, x); }

  /// `width` bits of each byte, from bit `from` of it to bit `to`.
  template <size_t width, size_t from, size_t to>
  static Bytes take(const std::byte* memory) {
    Bytes x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(memory));
    if constexpr (from > to) x = _mm256_srli_epi16(x, from - to);
    if constexpr (from < to) x = _mm256_slli_epi16(x, to - from);
    return width == 8 ? x : _mm256_and_si256(x, _mm256_set1_epi8(((1 << width) - 1) << to));
  }
  static Bytes either(Bytes x, Bytes y) { return _mm256_or_si256(x, y); }
  static Bytes levels(Bytes places) {
    const __m128i table = _mm_loadu_si128(reinterpret_cast<const __m128i*>(iq4_levels));
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_xor_si128(table, _mm_set1_epi8(-128))), places);
  }
  static __m256i four(const std::int8_t* x) {
    std::int32_t bytes;
    __builtin_memcpy(&bytes, x, 4);
    return _mm256_set1_epi32(bytes);
  }
};

template <size_t bits>
struct Avx2;

/// Two products of full bytes may not fit into 16 bits. The codes are signed again, and their signs go to the
/// activations, so that a pair is at most 2 · 128 · 127 = 32512.
template <>
struct Avx2<8> : Avx2Floats {
  struct Codes {
    __m256i size, sign;
  };
  using Sums = __m256i;  // 32 bits

  static Codes codes(Bytes x) {
    const __m256i code = _mm256_xor_si256(x, _mm256_set1_epi8(-128));
    return {_mm256_abs_epi8(code), code};
  }
  static Sums begin(std::int32_t) { return _mm256_setzero_si256(); }
  static Sums add(Sums sums, Codes codes, const std::int8_t* x) {
    const __m256i pairs = _mm256_maddubs_epi16(codes.size, _mm256_sign_epi8(four(x), codes.sign));
    return _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
  static Numbers end(Sums sums, std::int32_t) { return _mm256_cvtepi32_ps(sums); }  // without the 128, nothing is due
};

/// A pair fits, 2 · 63 · 127 = 16002, and is added in 32 bits at once.
template <>
struct Avx2<6> : Avx2Floats {
  using Sums = __m256i;  // 32 bits

  static Bytes codes(Bytes x) { return x; }
  static Sums begin(std::int32_t due) { return _mm256_set1_epi32(due); }
  static Sums add(Sums sums, Bytes codes, const std::int8_t* x) {
    return _mm256_add_epi32(sums, _mm256_madd_epi16(_mm256_maddubs_epi16(codes, four(x)), _mm256_set1_epi16(1)));
  }
  static Numbers end(Sums sums, std::int32_t) { return _mm256_cvtepi32_ps(sums); }
};

/// All 16 products of a lane's pair fit into 16 bits: 16 · 15 · 127 = 30480.
template <>
struct Avx2<4> : Avx2Floats {
  using Sums = __m256i;  // pairs of 16 bits

  static Bytes codes(Bytes x) { return x; }
  static Sums begin(std::int32_t) { return _mm256_setzero_si256(); }
  static Sums add(Sums sums, Bytes codes, const std::int8_t* x) {
    return _mm256_add_epi16(sums, _mm256_maddubs_epi16(codes, four(x)));
  }
  static Numbers end(Sums sums, std::int32_t due) {
    return _mm256_cvtepi32_ps(_mm256_add_epi32(_mm256_madd_epi16(sums, _mm256_set1_epi16(1)), _mm256_set1_epi32(due)));
  }
};

}  // namespace cria::simd::kernels
