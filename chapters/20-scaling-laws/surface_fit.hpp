// Chapter 20: approach 3 of Hoffmann et al. 2022 (arXiv:2203.15556), section 3.3: the surface of losses that is nearest
// to all runs, as Besiroglu et al. 2024 (arXiv:2404.10102) do it again.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "chapters/20-scaling-laws/loss_surface.hpp"

namespace cria {

struct SurfaceFitOptions {
  std::optional<double> floor = {};  ///< E, where it is known; else it is found
  double delta = 1e-3;               ///< of the Huber loss of log L
};

struct SurfaceFit {
  LossSurface surface;
  double objective = 0;
  size_t starts = 0, agreeing = 0;  // how many of the starts ended as low as the best one, to a part in a thousand
};

/// From each of a grid of starts, the lowest end. The grid is of the runs' own size: it divides the losses into E, a
/// part of the model's size and one of its tokens, with slow and fast exponents. Throws UserError for too few runs, and
/// for a floor that is not above 0.
SurfaceFit fit_surface(std::span<const ScalingRun> runs, const SurfaceFitOptions& options = {});

/// The same from one start, for fits of nearly the same runs.
SurfaceFit fit_surface_from(const LossSurface& start, std::span<const ScalingRun> runs,
                            const SurfaceFitOptions& options = {});

}  // namespace cria
