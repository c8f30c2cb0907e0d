// Chapter 15: dropout (Srivastava et al. 2014), of what an adapter reads while it learns.
#pragma once

#include <cstdint>

#include "lib/base/real.hpp"
#include "lib/base/view.hpp"

namespace cria {

/// y += x, with each number 0 at the probability `rate`, below 1, and else divided by 1 - rate, so that on average it
/// stays as it was. Which are 0 depends on the seed and on their places only: it is its own backward, with the same
/// seed.
void dropout(View<const real, 2> x, double rate, std::uint64_t seed, View<real, 2> y);

}  // namespace cria
