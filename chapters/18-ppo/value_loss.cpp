#include "chapters/18-ppo/value_loss.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lib/base/check.hpp"

namespace cria {

void require_valid(const ValueLossOptions& options) {
  if (!(options.clip >= 0) || !std::isfinite(options.clip))
    throw UserError(fmt::format("the clip of values is {}, expected 0 or more", options.clip));
  if (!(options.coefficient >= 0) || !std::isfinite(options.coefficient))
    throw UserError(fmt::format("the coefficient of values is {}, expected 0 or more", options.coefficient));
}

ValueTerm value_loss(double value, double old_value, double target, const ValueLossOptions& options) {
  ValueTerm term{};
  const double reach = options.clip > 0 ? options.clip : INFINITY;
  // solution: value_loss
  const double plain = value - target;
  const double clipped = std::clamp(value, old_value - reach, old_value + reach) - target;
  term.clipped = clipped * clipped > plain * plain;
  term.loss = std::max(plain * plain, clipped * clipped) / 2;
  term.slope = term.clipped ? 0 : plain;
  // end of solution
  return term;
}

}  // namespace cria
