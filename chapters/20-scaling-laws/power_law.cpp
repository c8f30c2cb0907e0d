// Chapter 20, power laws.
#include "chapters/20-scaling-laws/power_law.hpp"

#include <cmath>

#include "lib/base/check.hpp"

namespace cria {

double PowerLaw::at(double x) const { return factor * std::pow(x, exponent); }

Allocation OptimumLaws::at(double operations) const { return {parameters.at(operations), tokens.at(operations)}; }

PowerLaw fit_power_law(std::span<const double> x, std::span<const double> y) {
  require(x.size() == y.size(), "fit_power_law", "expected as many x as y");
  double mean_x = 0, mean_y = 0, above = 0, below = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    require(x[i] > 0 && y[i] > 0, "fit_power_law", "expected numbers above 0");
    mean_x += std::log(x[i]) / double(x.size());
    mean_y += std::log(y[i]) / double(x.size());
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double from_mean = std::log(x[i]) - mean_x;
    above += from_mean * (std::log(y[i]) - mean_y);
    below += from_mean * from_mean;
  }
  if (!(below > 1e-12)) throw UserError("a power law needs at least two different budgets");
  double factor = 0, exponent = 0;
  // solution: fit_power_law
  exponent = above / below;
  factor = std::exp(mean_y - exponent * mean_x);
  // end of solution
  return {factor, exponent};
}

}  // namespace cria
