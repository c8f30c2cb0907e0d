// Chapter 21: what a step that ranks share sends, and what each of them holds, before anything runs.
//
// ZeRO: Rajbhandari et al. 2020, arXiv:1910.02054, section 5. Its stages cut, one after the other, the optimiser's
// state, the gradients and the weights into N parts. What trains here is stage 2; the others are for comparison.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "chapters/21-several-machines/collectives.hpp"

namespace cria {

/// What rank 0 sends to the others before each thing that they do together; tokens, targets and mask follow.
struct TaskMessage {
  std::uint32_t kind = 0;
  std::uint16_t masked = 0, held = 0;
  std::uint64_t sequences = 0, positions = 0, steps_done = 0;
  double learning_rate = 0;
};

/// A training step on several ranks.
struct SharedStep {
  size_t ranks;
  size_t lanes;
  size_t parameters;
  size_t sequences, positions;  // of a batch
  bool masked;                  // it has a document mask
};

/// Bytes that a rank sends in a step.
std::uint64_t step_bytes(const SharedStep& step, size_t rank);

/// When a piece of the gradient travels, in seconds from when backward begins, on two ranks: to rank 1, and from there
/// back, where it is rank 0's part. Else it is back when it has arrived.
struct PieceTimes {
  double leaves, arrives, returns;
};
/// `final_at` says of each piece when both ranks have formed it, in the order in which they travel; the first of them
/// are `kept` by rank 1. One is `seconds` on its way. Rank 0 takes one back when the next is final, and before that
/// leaves.
std::vector<PieceTimes> sum_times(std::span<const double> final_at, size_t kept, double seconds);

enum class ZeroStage { none, moments, gradients, weights };

/// Bytes that a rank holds between steps.
struct StateBytes {
  std::uint64_t weights, gradients, moments;
};
/// Each lane of the rank has a gradient of its own; from stage 2 on the rank keeps its parts of the sum. Within a step
/// it is up to a gradient for each lane in all stages, where lanes have several micro-batches.
StateBytes state_bytes(ZeroStage stage, const SharedStep& step, size_t rank);

}  // namespace cria
