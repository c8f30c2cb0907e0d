// Chapter 20, the surface of losses. It leaves out how a surface is found: surface_fit.cpp.
#include "chapters/20-scaling-laws/loss_surface.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "lib/base/check.hpp"

namespace cria {

double LossSurface::at(double parameters, double tokens) const {
  return E + A / std::pow(parameters, alpha) + B / std::pow(tokens, beta);
}

double LossSurface::size_exponent() const {
  // solution: size_exponent
  return beta / (alpha + beta);
  // end of solution
}

Allocation best_allocation(const LossSurface& surface, double operations) {
  const double pairs = operations / 6;  // N D
  const auto& [A, B, E, alpha, beta] = surface;
  Allocation best;
  // solution: best_allocation
  // On the line N D = pairs the derivative of the loss by log N is -α A / N^α + β B / D^β. It is 0 at
  best.parameters = std::pow(alpha * A / (beta * B), 1 / (alpha + beta)) * std::pow(pairs, surface.size_exponent());
  best.tokens = pairs / best.parameters;
  // end of solution
  return best;
}

double tokens_for_loss(const LossSurface& surface, double parameters, double loss) {
  const double left = loss - surface.E - surface.A / std::pow(parameters, surface.alpha);
  if (!(left > 0)) return std::numeric_limits<double>::infinity();
  return std::pow(surface.B / left, 1 / surface.beta);
}

SurfaceLogs to_logs(const LossSurface& s) { return {std::log(s.A), std::log(s.B), std::log(s.E), s.alpha, s.beta}; }

LossSurface from_logs(const SurfaceLogs& logs) {
  return {std::exp(logs[0]), std::exp(logs[1]), std::exp(logs[2]), logs[3], logs[4]};
}

double huber(double residual, double delta) {
  const double size = std::abs(residual);
  // solution: huber
  return size <= delta ? residual * residual / 2 : delta * (size - delta / 2);
  // end of solution
}

double huber_slope(double residual, double delta) { return std::clamp(residual, -delta, delta); }

double surface_objective(const SurfaceLogs& logs, std::span<const ScalingRun> runs, double delta,
                         SurfaceLogs& gradient) {
  const auto& [a, b, e, alpha, beta] = logs;
  gradient = {};
  double objective = 0;
  for (const ScalingRun& run : runs) {
    const double log_n = std::log(run.parameters), log_d = std::log(run.tokens);
    // solution: surface_objective
    const double terms[] = {a - alpha * log_n, b - beta * log_d, e};
    const double largest = std::max({terms[0], terms[1], terms[2]});
    double shares[3], sum = 0;
    for (int k = 0; k < 3; ++k) sum += shares[k] = std::exp(terms[k] - largest);
    const double residual = largest + std::log(sum) - std::log(run.loss);
    objective += huber(residual, delta);
    // A log-sum-exp's derivative by each of its terms is that term's share of the sum.
    const double slope = huber_slope(residual, delta) / sum;
    for (int k = 0; k < 3; ++k) gradient[k] += slope * shares[k];
    gradient[3] -= slope * shares[0] * log_n;
    gradient[4] -= slope * shares[1] * log_d;
    // end of solution
  }
  return objective;
}

}  // namespace cria
