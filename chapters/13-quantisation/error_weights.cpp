#include "chapters/13-quantisation/error_weights.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

namespace cria {

void weigh_errors(std::span<const float> values, std::span<const float> importance, std::span<float> weights) {
  double squares = 0;
  for (const float x : values) squares += double(x) * x;
  const float rms = static_cast<float>(std::sqrt(squares / static_cast<double>(values.size())));
  std::ranges::transform(values, weights.begin(), [rms](float x) { return rms + std::abs(x); });
  if (std::ranges::any_of(importance, [](float x) { return x > 0; }))
    std::ranges::transform(weights, importance, weights.begin(), std::multiplies());
}

}  // namespace cria
