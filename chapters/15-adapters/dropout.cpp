// Chapter 15, dropout: a generator for each row, so that no row's numbers depend on how many rows there are.
#include "chapters/15-adapters/dropout.hpp"

#include "lib/base/check.hpp"
#include "lib/base/random.hpp"

namespace cria {

void dropout(View<const real, 2> x, double rate, std::uint64_t seed, View<real, 2> y) {
  require_shape("dropout: y", y, x.shape());
  require(rate >= 0 && rate < 1, "dropout", "the rate is not in [0, 1)");
  const real kept = real(1 / (1 - rate));
  for (size_t n = 0; n < x.shape(0); ++n) {
    Random random(seed + n);
    // solution: dropout
    for (size_t k = 0; k < x.shape(1); ++k)
      if (random.uniform() >= rate) y(n, k) += kept * x(n, k);
    // end of solution
  }
}

}  // namespace cria
