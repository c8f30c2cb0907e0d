// cria scaling
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cria {

struct ScalingOptions {
  std::vector<double> budgets;   // of operations; empty: four, as large as the minutes allow
  std::size_t sizes = 6;         // models for each budget
  double minutes = 30;           // what the budgets would take at 1.4e11 operations a second, as on two cores
  std::string data = "stories";  // or "zipf"
  std::string folder;            // empty: runs/scaling, or runs/scaling-zipf
  std::size_t bootstrap = 400;   // fits of runs that are drawn anew
  bool llamas = false;           // only print what a published surface says of the Llamas
  std::size_t threads = 0;
  std::uint64_t seed = 1;
};

/// Trains models of several sizes with equal operations, or goes on with what the folder holds of them; fits the three
/// laws, and draws the figure.
int run_scaling(const ScalingOptions& options);

}  // namespace cria
