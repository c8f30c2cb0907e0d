// Codes times activations with AVX-VNNI: vpdpbusd in registers of AVX2, on CPUs of desktops and laptops since 2021.
#pragma once

#include "lib/simd/packed_avx2.hpp"

namespace cria::simd::kernels {

template <size_t bits>
struct AvxVnni : Avx2Floats {
  static constexpr size_t tokens = 4;  // though some sums then leave the registers, this is faster than 2 or 3
  using Sums = __m256i;

  static Bytes codes(Bytes x) { return x; }
  static Sums begin(std::int32_t due) { return _mm256_set1_epi32(due); }
  static Sums add(Sums sums, Bytes codes, const std::int8_t* x) {
    return _mm256_dpbusd_avx_epi32(sums, codes, four(x));
  }
  static Numbers end(Sums sums, std::int32_t) { return _mm256_cvtepi32_ps(sums); }
};

}  // namespace cria::simd::kernels
