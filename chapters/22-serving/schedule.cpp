// Chapter 22, the schedule: who computes how many positions in the next pass.
#include "chapters/22-serving/schedule.hpp"

#include <algorithm>

#include "lib/base/check.hpp"

namespace cria {
namespace {

/// Blocks that a text needs beside its own to hold so many positions more.
size_t blocks_for(const TextState& text, size_t positions, size_t block_size) {
  if (positions == 0) return 0;
  const size_t all = (text.computed + positions + block_size - 1) / block_size;
  return all - std::min(all, text.blocks) + text.copies;
}

}  // namespace

Plan next_pass(std::span<const TextState> running, std::span<const TextState> waiting, size_t unused,
               const ServingLimits& limits) {
  Plan plan;
  size_t chunk = limits.chunk;
  // solution: running
  for (const TextState& text : waiting) unused += text.revived;  // whoever runs comes first
  for (const TextState& text : running) {
    const size_t left = text.known - text.computed, positions = left == 1 ? 1 : std::min(left, chunk);
    const size_t blocks = blocks_for(text, positions, limits.block_size);
    if (blocks > unused) {
      require(running.size() > 1, "next_pass", "a text needs more blocks than there are");
      return {.preempt = true};
    }
    if (left > 1) chunk -= positions;
    unused -= blocks;
    plan.positions.push_back(positions);
  }
  // end of solution
  // solution: admitted
  // A running text that still reads has taken the whole chunk, so nobody who is let in takes its blocks.
  for (const TextState& text : waiting) {
    const size_t left = text.known - text.computed;
    const size_t blocks = text.revived + blocks_for(text, left + 1, limits.block_size);
    if (chunk == 0 || plan.positions.size() == limits.places || blocks > unused) break;
    const size_t positions = std::min(left, chunk);
    chunk -= positions;
    unused -= blocks;
    plan.admitted += 1;
    plan.positions.push_back(positions);
  }
  // end of solution
  return plan;
}

}  // namespace cria
