// Chapter 20: approach 2 of Hoffmann et al. 2022 (arXiv:2203.15556), section 3.2. Models of several sizes are trained
// with equal operations; a parabola over the logarithm of the size has its lowest place at the best one.
//
// Left out: weights for the points. A loss far from the minimum pulls at the parabola as much as one near it.
#pragma once

#include <span>
#include <vector>

#include "chapters/20-scaling-laws/power_law.hpp"
#include "chapters/20-scaling-laws/scaling_run.hpp"

namespace cria {

/// y = least + curvature (x - place)²
struct Parabola {
  double place = 0, least = 0, curvature = 0;

  double at(double x) const { return least + curvature * (x - place) * (x - place); }
};

/// By least squares. Throws UserError for fewer than three different x, and where it has no lowest place.
Parabola fit_parabola(std::span<const double> x, std::span<const double> y);

/// Runs of one budget, the smallest model first.
using IsoFlopCurve = std::vector<ScalingRun>;

/// The runs by their budget, the smallest first; those that differ by less than a fifth are one budget.
std::vector<IsoFlopCurve> by_budget(std::span<const ScalingRun> runs);

/// Over log N, of a budget's losses.
Parabola fit_curve(const IsoFlopCurve& curve);

/// The best size of a budget, its tokens (between those of its neighbours, in logarithms), and its loss.
ScalingRun best_of_curve(const IsoFlopCurve& curve);

/// Power laws through the minima of all budgets.
OptimumLaws fit_iso_flop(std::span<const IsoFlopCurve> curves);

}  // namespace cria
