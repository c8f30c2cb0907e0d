#include "lib/formats/encode.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "lib/base/check.hpp"
#include "lib/simd/primitives.hpp"

namespace cria {
namespace {

template <class Stored>
void append(const Stored* values, size_t count, std::string& out) {
  out.append(reinterpret_cast<const char*>(values), count * sizeof(Stored));
}

template <class Stored>
void append_as(std::span<const real> values, std::string& out) {
  if constexpr (std::is_same_v<Stored, real>) return append(values.data(), values.size(), out);
  const std::vector<Stored> stored(values.begin(), values.end());
  append(stored.data(), stored.size(), out);
}

template <class Stored>
void append_narrowed(std::span<const real> values, std::string& out) {
  std::vector<Stored> stored(values.size());
  simd::narrow(values.data(), stored.data(), values.size());
  append(stored.data(), stored.size(), out);
}

template <class Block>
void append_blocks(std::span<const real> values, std::string& out) {
  require(values.size() % Block::numbers == 0, "encode_elements", "the values are no whole number of blocks");
  for (; !values.empty(); values = values.subspan(Block::numbers)) {
    Block block;
    encode(values.data(), block);
    append(&block, 1, out);
  }
}

}  // namespace

std::uint16_t float_to_half(float x) {
  const real value = x;
  simd::Float16 half;
  simd::narrow(&value, &half, 1);
  return half.bits;
}

void encode(const real* values, BlockQ8_0& block) {
  float largest = 0;
  for (size_t i = 0; i < 32; ++i) largest = std::max(largest, std::abs(float(values[i])));
  const float scale = largest / 127, inverse = scale ? 1 / scale : 0;
  block.scale = float_to_half(scale);
  for (size_t i = 0; i < 32; ++i) block.codes[i] = static_cast<std::int8_t>(std::round(float(values[i]) * inverse));
}

void encode(const real* values, BlockQ4_0& block) {
  const float extreme =
      float(*std::max_element(values, values + 32, [](real a, real b) { return std::abs(a) < std::abs(b); }));
  const float scale = extreme / -8, inverse = scale ? 1 / scale : 0;
  block.scale = float_to_half(scale);
  const auto code = [&](real value) {
    return static_cast<std::uint8_t>(std::clamp(float(value) * inverse + 8.5f, 0.0f, 15.0f));
  };
  for (size_t j = 0; j < 16; ++j)
    block.codes[j] = static_cast<std::uint8_t>(code(values[j]) | code(values[j + 16]) << 4);
}

bool can_encode(ElementType type) {
  switch (type) {
    case ElementType::f64:
    case ElementType::f32:
    case ElementType::f16:
    case ElementType::bf16:
    case ElementType::q8_0:
    case ElementType::q4_0:
      return true;
    default:
      return false;
  }
}

void encode_elements(ElementType type, std::span<const real> values, std::string& out) {
  switch (type) {
    case ElementType::f64:
      return append_as<double>(values, out);
    case ElementType::f32:
      return append_as<float>(values, out);
    case ElementType::f16:
      return append_narrowed<simd::Float16>(values, out);
    case ElementType::bf16:
      return append_narrowed<simd::BFloat16>(values, out);
    case ElementType::q8_0:
      return append_blocks<BlockQ8_0>(values, out);
    case ElementType::q4_0:
      return append_blocks<BlockQ4_0>(values, out);
    default:
      require(false, "encode_elements", "cannot write this type");
  }
}

}  // namespace cria
