// Chapter 18: answers that a policy gave, as a batch that it can learn from.
#pragma once

#include <span>
#include <vector>

#include "chapters/10-training-step/batch.hpp"

namespace cria {

struct Rollout {
  std::vector<std::int32_t> prompt;
  std::vector<std::int32_t> answer;  // with its end token, where it has one
  bool ended = true;                 // by that token, not by a limit
  double score = 0;                  // the reward of the whole answer
};

/// Rollouts as sequences, one a row: the prompt and behind it the answer. Targets are the answer's tokens alone, its
/// end token among them. What is shorter than a row is padded behind its end, where nothing sees it.
class RolloutBatch {
 public:
  /// Rows of `positions`. Throws UserError that counts the answers from 1 for an empty prompt or answer, one that is
  /// too long, and a score that is no number.
  RolloutBatch(std::span<const Rollout> rollouts, size_t positions);

  Batch batch() const;
  size_t size() const { return answers_.size(); }
  size_t positions() const { return positions_; }
  /// Of each row, the positions at which its answer's tokens are chosen: those with a target.
  std::span<const Range> answers() const { return answers_; }

 private:
  size_t positions_;
  std::vector<std::int32_t> tokens_, targets_;
  std::vector<Range> answers_;
};

}  // namespace cria
