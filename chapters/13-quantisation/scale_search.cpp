#include "chapters/13-quantisation/scale_search.hpp"

#include <algorithm>
#include <cmath>

namespace cria {
namespace {

/// Numbers so small need no search: their scale is zero as a float16, of which the smallest is 2^-24.
constexpr float negligible = 0x1p-40f;

/// Tries to spread the numbers over a bit less, just, and a bit more than all levels, by tenths of a level. More than
/// all: the outermost numbers are cut to the last level, and the others are finer.
template <class Try>
void try_around(float span, float last_level, Try attempt) {
  for (int tenths = -9; tenths <= 9; ++tenths) attempt((last_level + 0.1f * static_cast<float>(tenths)) / span);
}

float inverse_of(const Fit& fit) { return fit.scale == 0 ? 0 : 1 / fit.scale; }

}  // namespace

Fit search_scale(std::span<const float> values, std::span<const float> weights, const Levels& levels) {
  const float extreme = *std::ranges::max_element(values, {}, [](float x) { return std::abs(x); });
  if (std::abs(extreme) < negligible) return {};
  // solution: search_scale
  Fit best;
  double most_explained = 0;
  const auto attempt = [&](float inverse) {
    double xq = 0, qq = 0;  // Σwxq, Σwq²
    for (size_t i = 0; i < values.size(); ++i) {
      const double q = levels[levels.nearest(values[i] * inverse)], wq = weights[i] * q;
      xq += wq * values[i];
      qq += wq * q;
    }
    // Σw(x - dq)² is least where its derivative by d is zero, d = Σwxq / Σwq², and there it is Σwx² - (Σwxq)² / Σwq².
    if (xq * xq <= most_explained * qq) return;
    most_explained = xq * xq / qq;
    best.scale = static_cast<float>(xq / qq);
  };
  // The extreme at each level in turn, so that numbers are reproduced which come from a few levels of such a block.
  if (levels.count() <= 64)
    for (int code = 0; code < levels.count(); ++code) attempt(static_cast<float>(levels[code]) / extreme);
  for (const int end : {levels.front(), levels.back()}) try_around(extreme, static_cast<float>(end), attempt);
  return best;
  // end of solution
}

Fit search_scale_and_minimum(std::span<const float> values, std::span<const float> weights, const Levels& levels,
                             MinimumSign sign) {
  const auto range = std::ranges::minmax(values);
  float lowest = range.min, highest = range.max;  // clang 14 captures no bindings
  if (sign == MinimumSign::not_positive) lowest = std::min(lowest, 0.0f), highest = std::max(highest, 0.0f);
  const float span = highest - lowest, last = static_cast<float>(levels.back());
  if (span < negligible) return {0, lowest};
  // solution: search_scale_and_minimum
  double w = 0, wx = 0, wxx = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    w += weights[i];
    wx += static_cast<double>(weights[i]) * values[i];
    wxx += static_cast<double>(weights[i]) * values[i] * values[i];
  }
  Fit best{span / last, lowest};
  double least = weighted_error(values, weights, best, levels);
  const auto attempt = [&](float inverse) {
    double wq = 0, wqq = 0, wxq = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      const double q = levels[levels.nearest((values[i] - lowest) * inverse)], weighted = weights[i] * q;
      wq += weighted;
      wqq += weighted * q;
      wxq += weighted * values[i];
    }
    // The derivatives of Σw(x - dq - m)² by d and by m are zero:  d Σwq² + m Σwq = Σwxq  and  d Σwq + m Σw = Σwx.
    const double determinant = w * wqq - wq * wq;
    if (determinant <= 0) return;  // all numbers have the same code
    double d = (w * wxq - wx * wq) / determinant, m = (wqq * wx - wq * wxq) / determinant;
    if (sign == MinimumSign::not_positive && m > 0) d = wxq / wqq, m = 0;
    const double error = wxx + d * d * wqq + m * m * w + 2 * (d * m * wq - d * wxq - m * wx);
    if (error >= least || d <= 0) return;
    least = error;
    best = {static_cast<float>(d), static_cast<float>(m)};
  };
  for (int steps = 1; steps <= levels.back(); ++steps) attempt(static_cast<float>(steps) / span);
  try_around(span, last, attempt);
  return best;
  // end of solution
}

void nearest_codes(std::span<const float> values, const Fit& fit, const Levels& levels, std::uint8_t* codes) {
  const float inverse = inverse_of(fit);
  for (size_t i = 0; i < values.size(); ++i)
    codes[i] = static_cast<std::uint8_t>(levels.nearest((values[i] - fit.minimum) * inverse));
}

double weighted_error(std::span<const float> values, std::span<const float> weights, const Fit& fit,
                      const Levels& levels) {
  const float inverse = inverse_of(fit);
  double sum = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const float x = values[i] - fit.minimum;
    const double error = x - fit.scale * static_cast<float>(levels[levels.nearest(x * inverse)]);
    sum += weights[i] * error * error;
  }
  return sum;
}

}  // namespace cria
