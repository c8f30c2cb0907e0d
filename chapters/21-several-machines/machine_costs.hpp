// Chapter 21: what a step that ranks share sends, and what each of them holds, before anything runs.
//
// ZeRO: Rajbhandari et al. 2020, arXiv:1910.02054, section 5. Its stages cut, one after the other, the optimiser's
// state, the gradients and the weights into N parts. What trains here is stage 1; the others are for comparison.
#pragma once

#include <cstdint>

#include "chapters/21-several-machines/collectives.hpp"

namespace cria {

/// What rank 0 sends to the others before each thing that they do together; tokens, targets and mask follow.
struct TaskMessage {
  std::uint32_t kind = 0, masked = 0;
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

enum class ZeroStage { none, moments, gradients, weights };

/// Bytes that a rank holds between steps, and while it sums.
struct StateBytes {
  std::uint64_t weights, gradients, moments;
};
/// Each lane of the rank has a gradient of its own; from stage 2 on a lane keeps the parts of one rank at a time.
StateBytes state_bytes(ZeroStage stage, const SharedStep& step, size_t rank);

}  // namespace cria
