// The number types that tensor files hold, and their conversion to float or double.
//
// Files are little-endian, and so is every machine that cria is built for; quantised blocks are not here.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

namespace cria {

static_assert(std::endian::native == std::endian::little, "tensor files are read in place, which needs little-endian");

enum class ElementType { boolean, u8, i8, u16, i16, u32, i32, u64, i64, f16, bf16, f32, f64 };

/// Bytes of one element.
size_t element_size(ElementType type);

/// shape[0] * shape[1] * … * element_size, or nothing when that is more than a size_t holds.
std::optional<size_t> tensor_bytes(std::span<const size_t> shape, ElementType type);

/// Reads to.size() elements at `from`, which need not be aligned, as float or double; f64 and wide integers round.
template <class To>
void convert_elements(ElementType type, const std::byte* from, std::span<To> to);

/// IEEE 754 binary16: 1 sign bit, 5 of exponent (bias 15), 10 of mantissa. Exact.
inline float half_to_float(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000) << 16;
  const std::uint32_t exponent = (half >> 10) & 31, mantissa = half & 1023;
  if (exponent == 0) {  // zero and subnormals: mantissa * 2^-24
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return sign ? -magnitude : magnitude;
  }
  const std::uint32_t wide_exponent = exponent == 31 ? 255 : exponent + (127 - 15);  // 31: infinity and NaN
  return std::bit_cast<float>(sign | (wide_exponent << 23) | (mantissa << 13));
}

/// bfloat16 is the upper half of a float. Exact.
inline float bfloat16_to_float(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

}  // namespace cria
