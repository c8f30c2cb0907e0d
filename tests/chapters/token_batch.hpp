// Sequences of token ids as a batch to train on.
#pragma once

#include "chapters/10-training-step/cross_entropy.hpp"
#include "chapters/10-training-step/trainer.hpp"

namespace cria::testing {

/// Each id's successor is its target; the last of a sequence has none.
struct TokenBatch {
  size_t B, T;
  std::vector<std::int32_t> tokens, targets;

  TokenBatch(std::vector<std::int32_t> ids, size_t sequences)
      : B(sequences), T(ids.size() / sequences), tokens(std::move(ids)), targets(tokens.size(), no_target) {
    for (size_t n = 0; n < tokens.size(); ++n)
      if (n % T + 1 < T) targets[n] = tokens[n + 1];
  }
  operator Batch() const { return {{tokens.data(), {B, T}}, {targets.data(), {B, T}}}; }
};

}  // namespace cria::testing
