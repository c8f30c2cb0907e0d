// Numbers of 16 bits in plain C++, with the bits taken apart; and blocks of 8 bits, whose scales are such numbers.
#include <bit>
#include <cmath>
#include <limits>

#include "lib/simd/targets.hpp"

namespace cria::simd::portable {
namespace {

float to_float(Float16 x) {
  const int exponent = x.bits >> 10 & 31, mantissa = x.bits & 1023;
  float size;
  if (exponent == 31)
    size = mantissa ? std::numeric_limits<float>::quiet_NaN() : std::numeric_limits<float>::infinity();
  else if (exponent == 0)
    size = std::ldexp(float(mantissa), -24);  // subnormal: without the leading 1
  else
    size = std::ldexp(float(1024 + mantissa), exponent - 25);
  return x.bits & 0x8000 ? -size : size;
}

float to_float(BFloat16 x) { return std::bit_cast<float>(std::uint32_t(x.bits) << 16); }

/// Shifts `bits` right by `shift`, and rounds to the nearest, to even in doubt.
std::uint32_t shift_and_round(std::uint32_t bits, int shift) {
  const std::uint32_t below_half = (1u << (shift - 1)) - 1, odd = bits >> shift & 1;
  return (bits + below_half + odd) >> shift;
}

void from_float(float x, Float16& y) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x), sign = bits >> 16 & 0x8000;
  const int exponent = int(bits >> 23 & 255) - 127;
  std::uint32_t size;
  if (std::isnan(x))
    size = 0x7e00;
  else if (exponent >= 16)
    size = 0x7c00;  // infinity
  else if (exponent >= -14)
    // The exponent's bias falls from 127 to 15. Rounding up may carry into it, even to infinity, as it should.
    size = shift_and_round((bits & 0x7fffffff) - (112u << 23), 13);
  else if (exponent >= -25)
    size = shift_and_round((bits & 0x7fffff) | 0x800000, -1 - exponent);  // in units of 2^-24
  else
    size = 0;
  y.bits = static_cast<std::uint16_t>(sign | size);
}

void from_float(float x, BFloat16& y) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
  y.bits = static_cast<std::uint16_t>(std::isnan(x) ? bits >> 16 | 0x40 : shift_and_round(bits, 16));
}

template <class Stored>
real dot_of(const Stored* x, const real* y, size_t n) {
  real sum = 0;
  for (size_t i = 0; i < n; ++i) sum += to_float(x[i]) * y[i];
  return sum;
}

}  // namespace

void widen(const Float16* x, real* y, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] = to_float(x[i]);
}
void widen(const BFloat16* x, real* y, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] = to_float(x[i]);
}
void widen(const BlockQ8_0* x, real* y, size_t blocks) {
  for (size_t b = 0; b < blocks; ++b, y += BlockQ8_0::numbers) {
    const real scale = to_float(Float16{x[b].scale});
    for (size_t i = 0; i < BlockQ8_0::numbers; ++i) y[i] = scale * real(x[b].codes[i]);
  }
}
void narrow(const real* x, Float16* y, size_t n) {
  for (size_t i = 0; i < n; ++i) from_float(static_cast<float>(x[i]), y[i]);
}
void narrow(const real* x, BFloat16* y, size_t n) {
  for (size_t i = 0; i < n; ++i) from_float(static_cast<float>(x[i]), y[i]);
}
real dot(const Float16* x, const real* y, size_t n) { return dot_of(x, y, n); }
real dot(const BFloat16* x, const real* y, size_t n) { return dot_of(x, y, n); }

}  // namespace cria::simd::portable
