// A scale as a block holds it: rounded to float16.
#pragma once

#include <cstdint>

namespace cria {

/// The nearest float16, as bits and as the number that they stand for. Codes are chosen by `value`, not by the scale
/// that was found. Beyond ±65504, the largest float16, it is that: a search may come to a scale somewhat above the
/// plain one, which was checked.
struct HalfScale {
  std::uint16_t bits;
  float value;

  explicit HalfScale(float scale);
};

}  // namespace cria
