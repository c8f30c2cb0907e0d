#include "chapters/13-quantisation/rounded_product.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "lib/base/check.hpp"
#include "lib/formats/element_type.hpp"

namespace cria {
namespace {

constexpr size_t numbers = 32;
using Codes = std::array<std::uint8_t, numbers>;

/// The reverse of pack_nibbles.
Codes unpack_nibbles(const std::uint8_t* bytes) {
  Codes codes;
  for (size_t j = 0; j < numbers / 2; ++j) codes[j] = bytes[j] & 15, codes[j + numbers / 2] = bytes[j] >> 4;
  return codes;
}

}  // namespace

RoundedActivations round_activations(std::span<const float> x) {
  require(x.size() == numbers, "round_activations", "expected 32 numbers");
  RoundedActivations rounded;
  // solution: round_activations
  const float largest = std::abs(*std::ranges::max_element(x, {}, [](float value) { return std::abs(value); }));
  rounded.scale = largest / 127;
  const float inverse = rounded.scale < std::numeric_limits<float>::min() ? 0 : 1 / rounded.scale;
  for (size_t i = 0; i < numbers; ++i) {
    rounded.codes[i] = static_cast<std::int8_t>(std::lround(x[i] * inverse));
    rounded.sum += rounded.codes[i];
  }
  // end of solution
  return rounded;
}

std::int32_t whole_product(std::span<const std::uint8_t> codes, int zero, std::span<const std::int8_t> x,
                           std::int32_t sum_of_x) {
  require(codes.size() == x.size(), "whole_product", "expected a code for each activation");
  // solution: whole_product
  std::int32_t sum = -zero * sum_of_x;
  for (size_t i = 0; i < codes.size(); ++i) sum += codes[i] * x[i];
  return sum;
  // end of solution
}

float multiply(const BlockQ8_0& block, const RoundedActivations& x) {
  Codes codes;  // 128 larger: without a sign
  for (size_t i = 0; i < numbers; ++i) codes[i] = static_cast<std::uint8_t>(block.codes[i] + 128);
  return float(whole_product(codes, 128, x.codes, x.sum)) * (half_to_float(block.scale) * x.scale);
}

float multiply(const BlockQ4_0& block, const RoundedActivations& x) {
  // solution: multiply_q4_0
  const std::int32_t sum = whole_product(unpack_nibbles(block.codes), 8, x.codes, x.sum);
  return float(sum) * (half_to_float(block.scale) * x.scale);
  // end of solution
}

float multiply(const BlockQ4_1& block, const RoundedActivations& x) {
  // solution: multiply_q4_1
  // Σ (scale code + minimum) x = scale Σ code x + minimum Σ x
  const std::int32_t sum = whole_product(unpack_nibbles(block.codes), 0, x.codes, x.sum);
  return float(sum) * (half_to_float(block.scale) * x.scale) + half_to_float(block.minimum) * (x.scale * float(x.sum));
  // end of solution
}

}  // namespace cria
