// Logits for the tests of chapter 09, and what a sampler makes of them.
#pragma once

#include <limits>

#include "chapters/09-sampling/sampling.hpp"
#include "tests/testing.hpp"

namespace cria::testing {

inline constexpr real infinity = std::numeric_limits<real>::infinity();

inline View<const real, 1> as_view(const std::vector<real>& values) { return {values.data(), {values.size()}}; }

inline std::vector<double> distribution(const SamplingOptions& options, const std::vector<real>& logits,
                                        const std::vector<std::int32_t>& recent = {}) {
  std::vector<real> out(logits.size());
  Sampler(options, logits.size()).distribution(as_view(logits), recent, View<real, 1>(out.data(), {out.size()}));
  return {out.begin(), out.end()};
}

inline std::vector<real> random_logits(size_t size, std::uint64_t seed, double scale) {
  const auto array = random_array(Shape<1>{size}, seed, scale);
  return {array.begin(), array.end()};
}

}  // namespace cria::testing
