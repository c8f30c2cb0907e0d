// The exponential of a batch.
//
// exp(x) = 2^n exp(r) with n = round(x / ln 2) and |r| <= ln 2 / 2, where the Taylor series converges fast: up to the
// power 7 it leaves 5e-9 in float, up to 13 it leaves 4e-18 in double. ln 2 is split in two so that n times its upper
// part is exact (Cody & Waite 1980). Results below 2^-125 (2^-1021 in double) become 0, above the largest number
// infinity. NaN stays NaN.
#pragma once

#include <limits>

#include "lib/simd/xsimd.hpp"

namespace cria::simd::kernels {

template <class T>
struct ExpConstants;

template <>
struct ExpConstants<float> {
  static constexpr int degree = 7;
  static constexpr float ln2_high = 0x1.62e4p-1f, ln2_low = 0x1.7f7d1cp-20f;
  static constexpr float smallest = -86.64f, largest = 88.72283f;
};

template <>
struct ExpConstants<double> {
  static constexpr int degree = 13;
  static constexpr double ln2_high = 0x1.62e42fefa38p-1, ln2_low = 0x1.ef35793c7673p-45;
  static constexpr double smallest = -707.7, largest = 709.782712893384;
};

/// 2 / k!
template <class T>
inline constexpr T twice_inverse_factorial[] = {2,
                                                2,
                                                1,
                                                T(1) / 3,
                                                T(1) / 12,
                                                T(1) / 60,
                                                T(1) / 360,
                                                T(1) / 2520,
                                                T(1) / 20160,
                                                T(1) / 181440,
                                                T(1) / 1814400,
                                                T(1) / 19958400,
                                                T(1) / 239500800,
                                                T(1) / 3113510400};

template <class T, class Arch>
inline Batch<T, Arch> exponential(const Batch<T, Arch>& x) {
  using B = Batch<T, Arch>;
  using Constants = ExpConstants<T>;
  const B n = xsimd::nearbyint(x * B(T(1.4426950408889634074L)));
  const B r = multiply_add(n, B(-Constants::ln2_low), multiply_add(n, B(-Constants::ln2_high), x));
  // Horner's scheme from the highest power down. The factor 2 makes room for n = 128, where 2^n alone is infinite.
  B series(twice_inverse_factorial<T>[Constants::degree]);
#pragma GCC unroll 16
  for (int k = Constants::degree - 1; k >= 0; --k) series = multiply_add(series, r, B(twice_inverse_factorial<T>[k]));
  const B scaled = times_power_of_two(series, n - B(T(1)));
  const B bounded = xsimd::select(x < B(Constants::smallest), B(T(0)), scaled);
  return xsimd::select(x > B(Constants::largest), B(std::numeric_limits<T>::infinity()), bounded);
}

}  // namespace cria::simd::kernels
