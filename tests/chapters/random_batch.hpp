// Random tokens for the tests of training.
#pragma once

#include "lib/base/random.hpp"
#include "tests/chapters/token_batch.hpp"

namespace cria::testing {

/// Ids below 19, as tiny() has them.
inline TokenBatch random_batch(size_t B, size_t T, std::uint64_t seed) {
  Random random(seed);
  std::vector<std::int32_t> ids(B * T);
  for (auto& id : ids) id = static_cast<std::int32_t>(random.below(19));
  return {ids, B};
}

inline void randomise(const LlamaParameters& weights, std::uint64_t seed) {
  Random random(seed);
  initialise(weights, random);
}

}  // namespace cria::testing
