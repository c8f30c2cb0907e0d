// Chapter 20, the bootstrap.
#include "chapters/20-scaling-laws/bootstrap.hpp"

#include <algorithm>
#include <cmath>

#include "lib/base/check.hpp"

namespace cria {

std::vector<ScalingRun> drawn_again(std::span<const ScalingRun> runs, Random& random) {
  std::vector<ScalingRun> drawn;
  drawn.reserve(runs.size());
  // solution: drawn_again
  for (size_t i = 0; i < runs.size(); ++i) drawn.push_back(runs[random.below(std::uint32_t(runs.size()))]);
  // end of solution
  return drawn;
}

Interval middle_of(std::vector<double> values, double share) {
  require(!values.empty() && share > 0 && share < 1, "middle_of", "expected values, and a share between 0 and 1");
  std::ranges::sort(values);
  const auto value_at = [&](double part) {
    const double place = part * double(values.size() - 1);
    const size_t left = size_t(place), right = std::min(left + 1, values.size() - 1);
    return values[left] + (place - double(left)) * (values[right] - values[left]);
  };
  double outside = 0;  // on each side
  // solution: middle_of
  outside = (1 - share) / 2;
  // end of solution
  return {value_at(outside), value_at(1 - outside)};
}

std::vector<LossSurface> bootstrap_surfaces(std::span<const ScalingRun> runs, const SurfaceFit& fit, size_t count,
                                            std::uint64_t seed, const SurfaceFitOptions& options) {
  Random random(seed);
  std::vector<LossSurface> surfaces;
  for (size_t i = 0; i < count; ++i)
    surfaces.push_back(fit_surface_from(fit.surface, drawn_again(runs, random), options).surface);
  return surfaces;
}

}  // namespace cria
