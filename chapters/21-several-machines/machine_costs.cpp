// Chapter 21, bytes that are sent and held.
#include "chapters/21-several-machines/machine_costs.hpp"

#include <algorithm>

#include "chapters/10-training-step/adamw.hpp"

namespace cria {

std::uint64_t step_bytes(const SharedStep& step, size_t rank) {
  if (step.ranks == 1) return 0;
  const size_t last = step.ranks - 1, next = rank == last ? 0 : rank + 1;
  const size_t P = step.parameters, ids = step.sequences * step.positions * (step.masked ? 3 : 2);
  const Shares lanes{step.ranks, step.lanes, step.lanes}, parts{step.ranks, number_parts, number_parts};
  const Shares parameters{step.ranks, number_parts, P};
  // solution: step_bytes
  const size_t task = rank < last ? sizeof(TaskMessage) + sizeof(std::int32_t) * ids : 0;
  const size_t losses = sizeof(double) * (step.lanes - lanes.of(next).size());
  const size_t sum = sizeof(real) * (rank < last ? P : P - parameters.of(last).size());
  const size_t squares = sizeof(double) * (number_parts - parts.of(next).size());
  const size_t weights = sizeof(real) * (P - parameters.of(next).size());
  return task + losses + sum + squares + weights;
  // end of solution
}

std::vector<PieceTimes> sum_times(std::span<const double> final_at, size_t kept, double seconds) {
  std::vector<PieceTimes> times;
  for (size_t k = 0; k < final_at.size(); ++k) {
    // solution: piece_times
    double leaves = std::max(k > 0 ? times.back().arrives : 0, final_at[k]);
    if (k > kept) leaves += seconds, times.back().returns = leaves;
    const double arrives = leaves + seconds;
    times.push_back({leaves, arrives, k < kept ? arrives : arrives + seconds});
    // end of solution
  }
  return times;
}

StateBytes state_bytes(ZeroStage stage, const SharedStep& step, size_t rank) {
  const std::uint64_t all = sizeof(real) * step.parameters;
  const std::uint64_t own = sizeof(real) * Shares{step.ranks, number_parts, step.parameters}.of(rank).size();
  const std::uint64_t lanes = Shares{step.ranks, step.lanes, step.lanes}.of(rank).size();
  // solution: state_bytes
  return {.weights = stage >= ZeroStage::weights ? own : all,
          .gradients = stage >= ZeroStage::gradients ? own : lanes * all,
          .moments = 2 * (stage >= ZeroStage::moments ? own : all)};
  // end of solution
}

}  // namespace cria
