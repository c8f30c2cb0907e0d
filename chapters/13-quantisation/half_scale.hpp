// A scale as a block holds it: rounded to float16.
#pragma once

#include <algorithm>
#include <cstdint>

#include "lib/formats/element_type.hpp"
#include "lib/formats/encode.hpp"

namespace cria {

/// Codes are chosen by `value`, not by the scale that was found. Beyond the largest float16 it is that: a search may
/// come to a scale somewhat above the plain one, which was checked.
struct HalfScale {
  std::uint16_t bits;
  float value;

  explicit HalfScale(float scale)
      : bits(float_to_half(std::clamp(scale, -65504.0f, 65504.0f))), value(half_to_float(bits)) {}
};

}  // namespace cria
