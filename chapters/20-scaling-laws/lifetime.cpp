// Chapter 20, the cost of a model's life.
#include "chapters/20-scaling-laws/lifetime.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "lib/base/check.hpp"

namespace cria {

double lifetime_operations(const LossSurface& surface, double parameters, double loss, double served) {
  const double tokens = tokens_for_loss(surface, parameters, loss);
  if (std::isinf(tokens)) return tokens;
  double operations = 0;
  // solution: lifetime_operations
  operations = 6 * parameters * tokens + 2 * parameters * served;
  // end of solution
  return operations;
}

Allocation best_for_lifetime(const LossSurface& surface, double loss, double served) {
  if (!(loss > surface.E))
    throw UserError(fmt::format("a loss of {} is never reached, expected more than {}", loss, surface.E));
  // Below this size the loss is never reached. From there on the cost falls, and then rises for ever.
  double low = std::log(surface.A / (loss - surface.E)) / surface.alpha, high = low + 30;
  const auto cost = [&](double log_n) { return lifetime_operations(surface, std::exp(log_n), loss, served); };
  while (high - low > 1e-9) {
    const double left = low + (high - low) / 3, right = high - (high - low) / 3;
    if (cost(left) < cost(right))
      high = right;
    else
      low = left;
  }
  const double parameters = std::exp((low + high) / 2);
  return {parameters, tokens_for_loss(surface, parameters, loss)};
}

}  // namespace cria
