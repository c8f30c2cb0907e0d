// Chapter 10: a batch, tokens and what should follow each of them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "chapters/10-training-step/cross_entropy.hpp"

namespace cria {

struct Batch {
  View<const std::int32_t, 2> tokens;            // (B, T)
  View<const std::int32_t, 2> targets;           // (B, T), or no_target
  std::span<const std::int32_t> first_key = {};  // (B*T) document mask, or empty
  size_t first = 0;                              // of a part: its first sequence in the whole batch
};

/// The rows of sequences begin … end - 1 of a batch.
inline Batch part_of(const Batch& batch, size_t begin, size_t end) {
  const size_t T = batch.tokens.shape(1);
  return {batch.tokens.rows(begin, end), batch.targets.rows(begin, end),
          batch.first_key.empty() ? batch.first_key : batch.first_key.subspan(begin * T, (end - begin) * T),
          batch.first + begin};
}

inline size_t count_targets(const Batch& batch) {
  const auto targets = batch.targets.span();
  return targets.size() - static_cast<size_t>(std::ranges::count(targets, no_target));
}

}  // namespace cria
