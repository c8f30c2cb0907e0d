// Codes times activations on 64-bit Arm: 4 rows. One of the few files with intrinsics: xsimd has no word for products
// of bytes. CPUs since about 2018 have sdot (dotprod), which does with four signed bytes what vpdpbusd does with four
// unsigned ones.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

#include "lib/simd/block_form.hpp"

namespace cria::simd::kernels {

/// Codes of full bytes are signed again, so that nothing is due for them.
template <size_t bits>
struct Neon {
  static constexpr size_t size = 4, groups = 1, tokens = 3;  // of 32 registers 24 are sums
  using Bytes = uint8x16_t;
  using Sums = int32x4_t;
  using Numbers = float32x4_t;

  static Numbers zeros() { return vdupq_n_f32(0); }
  static Numbers all(float x) { return vdupq_n_f32(x); }
  static Numbers widen(const std::byte* halves) {
    return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(reinterpret_cast<const std::uint8_t*>(halves))));
  }
  static Numbers whole(const std::byte* bytes) {
    std::int32_t four;
    __builtin_memcpy(&four, bytes, 4);
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_s32(vdup_n_s32(four))))));
  }
  static Numbers times(Numbers x, Numbers y) { return vmulq_f32(x, y); }
  static Numbers multiply_add(Numbers x, Numbers y, Numbers z) { return vfmaq_f32(z, x, y); }
  static void store(float* to, Numbers x) { vst1q_f32(to, x); }

  /// `width` bits of each byte, from bit `from` of it to bit `to`.
  template <size_t width, size_t from, size_t to>
  static Bytes take(const std::byte* memory) {
    Bytes x = vld1q_u8(reinterpret_cast<const std::uint8_t*>(memory));
    if constexpr (from > to) x = vshrq_n_u8(x, from - to);
    if constexpr (from < to) x = vshlq_n_u8(x, to - from);
    return width == 8 ? x : vandq_u8(x, vdupq_n_u8(((1 << width) - 1) << to));
  }
  static Bytes either(Bytes x, Bytes y) { return vorrq_u8(x, y); }
  static Bytes levels(Bytes places) {
    return vqtbl1q_u8(veorq_u8(vld1q_u8(reinterpret_cast<const std::uint8_t*>(iq4_levels)), vdupq_n_u8(128)), places);
  }
  static int8x16_t codes(Bytes x) { return vreinterpretq_s8_u8(bits == 8 ? veorq_u8(x, vdupq_n_u8(128)) : x); }
  static Sums begin(std::int32_t due) { return vdupq_n_s32(bits == 8 ? 0 : due); }
  static int8x16_t four(const std::int8_t* x) {
    std::int32_t bytes;
    __builtin_memcpy(&bytes, x, 4);
    return vreinterpretq_s8_s32(vdupq_n_s32(bytes));
  }
  /// Two products fit into 16 bits: 2 · 128 · 127 = 32512.
  static Sums add(Sums sums, int8x16_t codes, const std::int8_t* x) {
    const int16x8_t first = vmull_s8(vget_low_s8(codes), vget_low_s8(four(x))), last = vmull_high_s8(codes, four(x));
    return vpadalq_s16(sums, vpaddq_s16(first, last));
  }
  static Numbers end(Sums sums, std::int32_t) { return vcvtq_f32_s32(sums); }
};

#ifdef __ARM_FEATURE_DOTPROD
template <size_t bits>
struct NeonDot : Neon<bits> {
  static int32x4_t add(int32x4_t sums, int8x16_t codes, const std::int8_t* x) {
    return vdotq_s32(sums, codes, Neon<bits>::four(x));
  }
};
#endif

}  // namespace cria::simd::kernels
