// The search for the scale of a group of numbers, and for its minimum where the type has one.
//
// A code says which level a number is nearest to: x ≈ scale level + minimum. Given the codes, the best scale is a
// matter of least squares; given the scale, the best codes one of rounding. Both at once have no formula, so scales are
// tried.
#pragma once

#include <cstdint>
#include <span>

#include "chapters/13-quantisation/levels.hpp"

namespace cria {

/// x ≈ scale level + minimum
struct Fit {
  float scale = 0, minimum = 0;
};

/// The scale, of either sign, for which Σ w (x - scale level)² is least, of some tens that are tried. Zero for numbers
/// that are all so small that a float16 scale comes out as zero. Values must be finite, weights not negative.
Fit search_scale(std::span<const float> values, std::span<const float> weights, const Levels& levels);

/// What the minimum may be: the K types store its negative, without a sign.
enum class MinimumSign { any, not_positive };

/// The same with a minimum; the scale is not negative, and levels are 0 … highest.
Fit search_scale_and_minimum(std::span<const float> values, std::span<const float> weights, const Levels& levels,
                             MinimumSign sign);

/// The code of the level that is nearest to each value under the fit.
void nearest_codes(std::span<const float> values, const Fit& fit, const Levels& levels, std::uint8_t* codes);

/// Σ w (x - what its nearest code stands for)²
double weighted_error(std::span<const float> values, std::span<const float> weights, const Fit& fit,
                      const Levels& levels);

}  // namespace cria
