// Activations rounded to 8 bits, in plain loops that the compiler turns into vectors of each target's.
#pragma once

#include "lib/simd/packed_layout.hpp"

namespace cria::simd::kernels {

/// A row of k activations. The largest of each 32 becomes ±127. NaN makes its block's scale NaN, and infinity makes it
/// infinite, so that neither is lost in a code. `Target` only gives each target a function of its own.
template <class Target, class T>
void quantise(const T* x, size_t k, std::int8_t* codes, BlockSums* sums) {
  constexpr float smallest_normal = 0x1p-126f;
  // Added to a float of less than 2^22, it leaves the nearest whole number (of two the even one) in the lowest bits.
  constexpr float whole = 0x1.8p23f;
  for (size_t i = 0; i < k; i += block_numbers, x += block_numbers, codes += block_numbers, ++sums) {
    std::int32_t largest = 0;  // sizes are ordered as their bits are, with NaN the largest
    for (size_t j = 0; j < block_numbers; ++j) {
      const std::int32_t size = __builtin_bit_cast(std::int32_t, float(x[j])) & 0x7fffffff;
      largest = size > largest ? size : largest;
    }
    const float scale = __builtin_bit_cast(float, largest) * (1 / 127.f);
    const float inverse = scale >= smallest_normal ? 1 / scale : 0;  // what is smaller counts as zero
    std::int32_t rounded[block_numbers], first = 0, second = 0;
    for (size_t j = 0; j < block_numbers; ++j)
      rounded[j] = static_cast<std::int8_t>(  // of what is no number, anything
          __builtin_bit_cast(std::int32_t, float(x[j]) * inverse + whole) - __builtin_bit_cast(std::int32_t, whole));
    for (size_t j = 0; j < block_numbers; ++j) codes[j] = static_cast<std::int8_t>(rounded[j]);
      // Unrolled by gcc these would be no vectors any more.
#pragma GCC unroll 1
    for (size_t j = 0; j < block_numbers / 2; ++j) first += rounded[j];
#pragma GCC unroll 1
    for (size_t j = block_numbers / 2; j < block_numbers; ++j) second += rounded[j];
    *sums = {scale, {first, second}, scale * float(first + second)};
  }
}

}  // namespace cria::simd::kernels
