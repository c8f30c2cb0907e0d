// The number types that tensor files hold, and their conversion to float or double.
//
// Most types store one number after another. A block type (GGML's Q4_0, Q4_K, …) stores 32 or 256 numbers of a row
// together, as small codes and the scales that turn them into numbers; blocks.hpp says how.
//
// Files are little-endian, and so is every machine that cria is built for.
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

enum class ElementType {
  boolean,
  u8,
  i8,
  u16,
  i16,
  u32,
  i32,
  u64,
  i64,
  f16,
  bf16,
  f32,
  f64,
  q4_0,
  q4_1,
  q5_0,
  q5_1,
  q8_0,
  q2_k,
  q3_k,
  q4_k,
  q5_k,
  q6_k,
  iq4_nl,
  iq4_xs
};

/// How a type lies in memory: so many bytes hold so many numbers, one for all but the block types.
struct TypeLayout {
  std::string_view name;  // as llama.cpp and safetensors write it: "F16", "Q4_K"
  size_t numbers, bytes;
};
TypeLayout type_layout(ElementType type);

/// The type of weights with this name, in capitals or not.
std::optional<ElementType> floating_type(std::string_view name);

/// The type for rows of so many numbers: F16 where they are no whole number of the type's blocks.
ElementType fitting_type(size_t row, ElementType type);

/// Bytes of one number, or of one block.
inline size_t element_size(ElementType type) { return type_layout(type).bytes; }

/// Whether its numbers are weights: floating point, or blocks of them.
bool is_floating(ElementType type);

/// Bytes of a tensor whose last axis is a row, or nothing when that is more than a size_t holds or when a row is no
/// whole number of blocks.
std::optional<size_t> tensor_bytes(std::span<const size_t> shape, ElementType type);

/// Reads to.size() numbers at `from`, which need not be aligned, as float or double; f64 and wide integers round. Of a
/// block type to.size() must be a multiple of what a block holds.
template <class To>
void convert_elements(ElementType type, const std::byte* from, std::span<To> to);

/// IEEE 754 binary16: 1 sign bit, 5 of exponent (bias 15), 10 of mantissa. Exact.
inline float half_to_float(std::uint16_t half) {
  // example: half_to_float
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000) << 16;
  const std::uint32_t exponent = (half >> 10) & 31, mantissa = half & 1023;
  if (exponent == 0) {  // zero and subnormals: mantissa * 2^-24
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return sign ? -magnitude : magnitude;
  }
  const std::uint32_t wide_exponent = exponent == 31 ? 255 : exponent + (127 - 15);  // 31: infinity and NaN
  return std::bit_cast<float>(sign | (wide_exponent << 23) | (mantissa << 13));
  // end of example
}

/// bfloat16 is the upper half of a float. Exact.
inline float bfloat16_to_float(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

}  // namespace cria
