// Chapter 20, approach 1.
#include "chapters/20-scaling-laws/envelope.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "lib/base/check.hpp"

namespace cria {
namespace {

/// The lowest of those that are there, or one without a loss where it is the smallest or largest model.
ScalingRun lowest_inside(std::span<const ScalingRun> there) {
  ScalingRun best;
  best.loss = std::numeric_limits<double>::infinity();
  // solution: lower_envelope
  for (const ScalingRun& run : there)
    if (run.loss < best.loss) best = run;
  const auto [smallest, largest] = std::ranges::minmax_element(there, {}, &ScalingRun::parameters);
  if (best.parameters == smallest->parameters || best.parameters == largest->parameters)
    best.loss = std::numeric_limits<double>::infinity();
  // end of solution
  return best;
}

}  // namespace

ScalingRun curve_at(const TrainingCurve& curve, double operations) {
  const std::vector<ScalingRun>& points = curve.points;
  require(!points.empty(), "curve_at", "expected at least one point");
  ScalingRun at = {points.front().parameters, 0, operations, std::numeric_limits<double>::infinity()};
  for (size_t i = 1; i < points.size(); ++i) {
    const ScalingRun &from = points[i - 1], &to = points[i];
    if (operations < from.operations || operations > to.operations) continue;
    const double share = std::log(operations / from.operations) / std::log(to.operations / from.operations);
    at.tokens = from.tokens * std::pow(to.tokens / from.tokens, share);
    at.loss = from.loss * std::pow(to.loss / from.loss, share);
  }
  return at;
}

std::vector<ScalingRun> lower_envelope(std::span<const TrainingCurve> curves, size_t count) {
  double first = std::numeric_limits<double>::infinity(), last = 0;
  for (const TrainingCurve& curve : curves) {
    first = std::min(first, curve.points.front().operations);
    last = std::max(last, curve.points.back().operations);
  }
  std::vector<ScalingRun> envelope;
  for (size_t i = 0; i < count; ++i) {
    const double operations = first * std::pow(last / first, double(i) / double(std::max<size_t>(count, 2) - 1));
    std::vector<ScalingRun> there;
    for (const TrainingCurve& curve : curves)
      if (const ScalingRun at = curve_at(curve, operations); std::isfinite(at.loss)) there.push_back(at);
    if (there.size() < 3) continue;
    if (const ScalingRun best = lowest_inside(there); std::isfinite(best.loss)) envelope.push_back(best);
  }
  if (envelope.empty())
    throw UserError("at no number of operations is a model of middle size the best one, expected a wider sweep");
  return envelope;
}

OptimumLaws fit_envelope(std::span<const TrainingCurve> curves, size_t count) {
  std::vector<double> operations, parameters, tokens;
  for (const ScalingRun& best : lower_envelope(curves, count)) {
    operations.push_back(best.operations);
    parameters.push_back(best.parameters);
    tokens.push_back(best.tokens);
  }
  return {fit_power_law(operations, parameters), fit_power_law(operations, tokens)};
}

}  // namespace cria
