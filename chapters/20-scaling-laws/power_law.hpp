// Chapter 20: a straight line in logarithms.
#pragma once

#include <span>

#include "chapters/20-scaling-laws/scaling_run.hpp"

namespace cria {

/// y = factor · x^exponent
struct PowerLaw {
  double factor = 0, exponent = 0;

  double at(double x) const;
};

/// By least squares of log y over log x. Throws UserError for fewer than two different x; all numbers are above 0.
PowerLaw fit_power_law(std::span<const double> x, std::span<const double> y);

/// How the best size and number of tokens grow with the operations: Hoffmann et al. 2022 (arXiv:2203.15556), section 3.
struct OptimumLaws {
  PowerLaw parameters, tokens;

  Allocation at(double operations) const;
};

}  // namespace cria
