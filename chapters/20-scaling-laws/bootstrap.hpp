// Chapter 20: how far a fit can be trusted. Runs are drawn anew from those that there are, with replacement, and fitted
// again; what many such fits differ by is what the one fit may be off (Efron 1979).
#pragma once

#include <span>
#include <vector>

#include "chapters/20-scaling-laws/surface_fit.hpp"
#include "lib/base/random.hpp"

namespace cria {

/// As many runs as there are, each drawn from all of them: some come twice, and about a third not at all.
std::vector<ScalingRun> drawn_again(std::span<const ScalingRun> runs, Random& random);

struct Interval {
  double low = 0, high = 0;
};

/// The middle `share` of the values, between two of them on a line: at share 0.8 from the 10th to the 90th hundredth.
Interval middle_of(std::vector<double> values, double share = 0.8);

/// Fits of `count` draws, each from the whole fit on.
std::vector<LossSurface> bootstrap_surfaces(std::span<const ScalingRun> runs, const SurfaceFit& fit, size_t count,
                                            std::uint64_t seed, const SurfaceFitOptions& options = {});

}  // namespace cria
