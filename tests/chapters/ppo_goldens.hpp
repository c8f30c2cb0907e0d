// Chapter 18's goldens: where answers stand in their rows, and rows of numbers.
#pragma once

#include "tests/testing.hpp"

namespace cria::testing {

/// Two ways to compute a few doubles.
inline constexpr double few_doubles = 1e-12;

inline std::vector<Range> golden_answers() {
  const Array<double, 2> bounds = golden<2>("18-ppo/answers.npy");
  std::vector<Range> answers;
  for (size_t b = 0; b < bounds.shape(0); ++b) answers.push_back({size_t(bounds(b, 0)), size_t(bounds(b, 1))});
  return answers;
}

}  // namespace cria::testing
