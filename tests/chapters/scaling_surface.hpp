// Surfaces of losses without noise, and runs on them.
#pragma once

#include <cmath>
#include <vector>

#include "chapters/20-scaling-laws/published_surface.hpp"

namespace cria::testing {

/// The lesson's: at N = 10⁴ and D = 10⁸ the loss is 0.7 + 0.1 + 0.2 = 1, and that is the best place for 6e12
/// operations.
inline const LossSurface by_hand = {10, 20, 0.7, 0.5, 0.25};
inline const LossSurface published = besiroglu_surface;

inline ScalingRun run_on(const LossSurface& surface, double parameters, double tokens) {
  return {parameters, tokens, 6 * parameters * tokens, surface.at(parameters, tokens)};
}

/// Runs of one budget: sizes around the best one times `off`, up to `width` times larger and smaller.
inline std::vector<ScalingRun> runs_of_budget(const LossSurface& surface, double operations, double width,
                                              double off = 1, size_t sizes = 7) {
  std::vector<ScalingRun> runs;
  const double best = off * best_allocation(surface, operations).parameters;
  for (size_t i = 0; i < sizes; ++i) {
    const double parameters = best * std::pow(width, 2 * double(i) / double(sizes - 1) - 1);
    runs.push_back(run_on(surface, parameters, operations / (6 * parameters)));
  }
  return runs;
}

inline std::vector<ScalingRun> sweep_on(const LossSurface& surface, double width = 4) {
  std::vector<ScalingRun> runs;
  for (const double operations : {1e18, 1e19, 1e20, 1e21})
    for (const ScalingRun& run : runs_of_budget(surface, operations, width)) runs.push_back(run);
  return runs;
}

}  // namespace cria::testing
