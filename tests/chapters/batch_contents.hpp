// What is in a batch, as vectors that tests compare.
#pragma once

#include <vector>

#include "chapters/10-training-step/trainer.hpp"

namespace cria::testing {

using Ids = std::vector<std::int32_t>;

inline Ids ids(View<const std::int32_t, 2> view) { return {view.span().begin(), view.span().end()}; }

/// Everything in a batch, to compare.
inline std::vector<Ids> contents(const Batch& batch) {
  return {ids(batch.tokens), ids(batch.targets), Ids(batch.first_key.begin(), batch.first_key.end())};
}

}  // namespace cria::testing
