#include "chapters/13-quantisation/group_search.hpp"

#include <algorithm>
#include <cmath>

#include "chapters/13-quantisation/half_scale.hpp"

namespace cria {
namespace {

/// The whole numbers next to value / unit, within the limits.
struct Multiples {
  int first, last;

  Multiples(float value, float unit, int lowest, int highest) {
    const int nearest = unit == 0 ? 0 : static_cast<int>(std::lround(value / unit));
    first = std::clamp(nearest - 1, lowest, highest);
    last = std::clamp(nearest + 1, lowest, highest);
  }
};

}  // namespace

Groups search_groups(std::span<const float> values, std::span<const float> weights, size_t size, const Levels& levels,
                     int lowest, int highest) {
  Groups groups;
  const size_t count = values.size() / size;
  float found[16] = {};
  for (size_t g = 0; g < count; ++g)
    found[g] = search_scale(values.subspan(g * size, size), weights.subspan(g * size, size), levels).scale;
  const float extreme =
      *std::max_element(found, found + count, [](float a, float b) { return std::abs(a) < std::abs(b); });
  const HalfScale scale(extreme / static_cast<float>(lowest));
  groups.scale = scale.bits;
  for (size_t g = 0; g < count; ++g) {
    const auto x = values.subspan(g * size, size), w = weights.subspan(g * size, size);
    const Multiples near(found[g], scale.value, lowest, highest);
    double least = INFINITY;
    for (int s = near.first; s <= near.last; ++s) {
      const double error = weighted_error(x, w, {scale.value * static_cast<float>(s), 0}, levels);
      if (error < least) least = error, groups.scales[g] = s;
    }
    nearest_codes(x, {scale.value * static_cast<float>(groups.scales[g]), 0}, levels, groups.codes + g * size);
  }
  return groups;
}

Groups search_groups_with_minimum(std::span<const float> values, std::span<const float> weights, size_t size,
                                  const Levels& levels, int highest) {
  Groups groups;
  const size_t count = values.size() / size;
  Fit found[16];
  float largest_scale = 0, largest_minimum = 0;
  for (size_t g = 0; g < count; ++g) {
    found[g] = search_scale_and_minimum(values.subspan(g * size, size), weights.subspan(g * size, size), levels,
                                        MinimumSign::not_positive);
    largest_scale = std::max(largest_scale, found[g].scale);
    largest_minimum = std::max(largest_minimum, -found[g].minimum);
  }
  // solution: search_groups_with_minimum
  const HalfScale scale(largest_scale / static_cast<float>(highest)),
      minimum(largest_minimum / static_cast<float>(highest));
  groups.scale = scale.bits;
  groups.minimum = minimum.bits;
  for (size_t g = 0; g < count; ++g) {
    const auto x = values.subspan(g * size, size), w = weights.subspan(g * size, size);
    const Multiples scales(found[g].scale, scale.value, 0, highest);
    const Multiples minima(-found[g].minimum, minimum.value, 0, highest);
    const auto fit = [&](int s, int m) {
      return Fit{scale.value * static_cast<float>(s), -minimum.value * static_cast<float>(m)};
    };
    double least = INFINITY;
    for (int s = scales.first; s <= scales.last; ++s)
      for (int m = minima.first; m <= minima.last; ++m) {
        const double error = weighted_error(x, w, fit(s, m), levels);
        if (error < least) least = error, groups.scales[g] = s, groups.minima[g] = m;
      }
    nearest_codes(x, fit(groups.scales[g], groups.minima[g]), levels, groups.codes + g * size);
  }
  // end of solution
  return groups;
}

}  // namespace cria
