// Chapter 20: the loss as a function of a model's size and its tokens, L = E + A / N^α + B / D^β (Hoffmann et al. 2022,
// arXiv:2203.15556, equation 2), and what is best for a given number of operations.
#pragma once

#include <array>
#include <span>

#include "chapters/20-scaling-laws/scaling_run.hpp"

namespace cria {

/// E is what is left of the loss for a model without bound and text without end: the entropy of the text.
struct LossSurface {
  double A = 0, B = 0, E = 0, alpha = 0, beta = 0;

  double at(double parameters, double tokens) const;
  /// By how much of C the best size grows: N ~ C^a with a = β / (α + β), and D ~ C^(1 - a).
  double size_exponent() const;
};

/// Where the loss is least among all N and D with 6 N D = operations (equation 4).
Allocation best_allocation(const LossSurface& surface, double operations);

/// The tokens that a model of that size needs for this loss; infinity where it never reaches it.
double tokens_for_loss(const LossSurface& surface, double parameters, double loss);

/// As the fit sees it: a = log A, b = log B, e = log E, and the exponents, in this order. So A, B and E are above 0.
using SurfaceLogs = std::array<double, 5>;
SurfaceLogs to_logs(const LossSurface& surface);
LossSurface from_logs(const SurfaceLogs& logs);

/// Huber 1964: r² / 2 up to |r| = delta, and from there on the straight line that goes on with the same slope. Far
/// points pull no harder than near ones.
double huber(double residual, double delta);
/// Its slope.
double huber_slope(double residual, double delta);

/// Σ huber(log-sum-exp(a - α log N, b - β log D, e) - log L): the sum over all runs, not their mean (equation 3).
/// Writes its derivative by the five numbers.
double surface_objective(const SurfaceLogs& logs, std::span<const ScalingRun> runs, double delta,
                         SurfaceLogs& gradient);

}  // namespace cria
