// Chapter 20, approach 2.
#include "chapters/20-scaling-laws/iso_flop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lib/base/check.hpp"

namespace cria {
namespace {

/// log D at this log N, on the line between the runs beside it; beyond the last ones the line goes on.
double log_tokens_at(const IsoFlopCurve& curve, double log_n) {
  size_t right = 1;
  while (right + 1 < curve.size() && std::log(curve[right].parameters) < log_n) ++right;
  const ScalingRun &from = curve[right - 1], &to = curve[right];
  const double share = (log_n - std::log(from.parameters)) / (std::log(to.parameters) - std::log(from.parameters));
  return std::log(from.tokens) + share * (std::log(to.tokens) - std::log(from.tokens));
}

}  // namespace

Parabola fit_parabola(std::span<const double> x, std::span<const double> y) {
  require(x.size() == y.size(), "fit_parabola", "expected as many x as y");
  const double count = double(x.size());
  double mean_x = 0, mean_y = 0, second = 0, third = 0;
  for (size_t i = 0; i < x.size(); ++i) mean_x += x[i] / count, mean_y += y[i] / count;
  for (size_t i = 0; i < x.size(); ++i) {
    const double u = x[i] - mean_x;
    second += u * u / count;
    third += u * u * u / count;
  }
  // Three functions whose products sum to 0 over the points: 1, u, and u² less its part of both. So each has its own
  // coefficient.
  double line = 0, curvature = 0, of_square = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double u = x[i] - mean_x, square = u * u - second - (second > 0 ? third / second : 0) * u;
    line += u * y[i] / count;
    curvature += square * y[i] / count;
    of_square += square * square / count;
  }
  if (!(of_square > 1e-12 * second * second)) throw UserError("a parabola needs at least three different sizes");
  double place = 0, least = 0;
  line /= second, curvature /= of_square;
  if (!(curvature > 0)) throw UserError("a parabola through these losses has no lowest place");
  // solution: lowest_place
  // y = mean + line u + curvature (u² - second - third / second u) has the slope 0 at
  const double u = (curvature * third / second - line) / (2 * curvature);
  place = mean_x + u;
  least = mean_y - curvature * second - curvature * u * u;
  // end of solution
  return {place, least, curvature};
}

std::vector<IsoFlopCurve> by_budget(std::span<const ScalingRun> runs) {
  std::vector<ScalingRun> sorted(runs.begin(), runs.end());
  std::ranges::sort(sorted, {}, &ScalingRun::operations);
  std::vector<IsoFlopCurve> curves;
  for (const ScalingRun& run : sorted) {
    if (curves.empty() || run.operations > 1.2 * curves.back().front().operations) curves.emplace_back();
    curves.back().push_back(run);
  }
  for (IsoFlopCurve& curve : curves) std::ranges::sort(curve, {}, &ScalingRun::parameters);
  return curves;
}

Parabola fit_curve(const IsoFlopCurve& curve) {
  std::vector<double> x(curve.size()), y(curve.size());
  for (size_t i = 0; i < curve.size(); ++i) {
    // solution: iso_flop_points
    x[i] = std::log(curve[i].parameters);
    y[i] = curve[i].loss;
    // end of solution
  }
  return fit_parabola(x, y);
}

ScalingRun best_of_curve(const IsoFlopCurve& curve) {
  const Parabola parabola = fit_curve(curve);
  return {std::exp(parabola.place), std::exp(log_tokens_at(curve, parabola.place)), curve.front().operations,
          parabola.least};
}

OptimumLaws fit_iso_flop(std::span<const IsoFlopCurve> curves) {
  std::vector<double> operations, parameters, tokens;
  for (const IsoFlopCurve& curve : curves) {
    const ScalingRun best = best_of_curve(curve);
    operations.push_back(best.operations);
    parameters.push_back(best.parameters);
    tokens.push_back(best.tokens);
  }
  return {fit_power_law(operations, parameters), fit_power_law(operations, tokens)};
}

}  // namespace cria
