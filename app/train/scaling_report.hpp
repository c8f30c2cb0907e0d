// What the runs of a sweep say: the three fits as a table, and the isoFLOP figure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "chapters/20-scaling-laws/scaling_run.hpp"

namespace cria {

/// What theory needs to know of a corpus of facts (chapters/20-scaling-laws/quanta.hpp).
struct QuantaOfCorpus {
  double exponent = 0;    // α: p_k ~ k^-(1 + α)
  std::vector<double> p;  // of each fact
  double cost = 0;        // the loss where a fact is needed and not known
};

struct SweepResult {
  std::vector<ScalingRun> runs;
  std::vector<TrainingCurve> curves;          // of the same runs
  std::optional<double> floor;                // of the loss, where it is known
  std::string unit;                           // of the loss
  std::optional<QuantaOfCorpus> quanta = {};  // where the corpus is of facts
};

/// Prints the fits. One that these runs do not allow is said with its reason.
void print_fits(const SweepResult& result, std::size_t bootstrap, std::uint64_t seed);

/// As SVG: above the loss over the size with a parabola for each budget, below the best sizes over the operations, and
/// the lines of all fits.
std::string draw_sweep(const SweepResult& result);

}  // namespace cria
