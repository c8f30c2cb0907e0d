// Chapter 20, approach 3.
#include "chapters/20-scaling-laws/surface_fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "chapters/20-scaling-laws/minimise.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace {

/// Runs with N and D in units of their geometric means. There a change of α hardly changes A, and that of β hardly B:
/// the minimiser has a round valley in place of a narrow one.
class CentredRuns {
 public:
  explicit CentredRuns(std::span<const ScalingRun> runs) : runs_(runs.begin(), runs.end()) {
    for (const ScalingRun& run : runs) {
      log_n_ += std::log(run.parameters) / double(runs.size());
      log_d_ += std::log(run.tokens) / double(runs.size());
      log_loss_ += std::log(run.loss) / double(runs.size());
    }
    for (ScalingRun& run : runs_) run.parameters /= std::exp(log_n_), run.tokens /= std::exp(log_d_);
  }

  SurfaceLogs centred(SurfaceLogs logs) const {
    logs[0] -= logs[3] * log_n_, logs[1] -= logs[4] * log_d_;
    return logs;
  }
  SurfaceLogs back(SurfaceLogs logs) const {
    logs[0] += logs[3] * log_n_, logs[1] += logs[4] * log_d_;
    return logs;
  }
  double middle_loss() const { return std::exp(log_loss_); }
  std::span<const ScalingRun> runs() const { return runs_; }

 private:
  std::vector<ScalingRun> runs_;
  double log_n_ = 0, log_d_ = 0, log_loss_ = 0;
};

/// From a centred start to a centred end. A floor that is given stays, and the other four numbers move.
Minimum descend(const CentredRuns& centred, const SurfaceLogs& start, const SurfaceFitOptions& options) {
  constexpr size_t with_floor[] = {0, 1, 3, 4}, without[] = {0, 1, 2, 3, 4};
  const std::span<const size_t> moving = options.floor ? std::span<const size_t>(with_floor) : without;
  const auto all = [&](std::span<const double> place) {
    SurfaceLogs logs = start;
    for (size_t i = 0; i < moving.size(); ++i) logs[moving[i]] = place[i];
    return logs;
  };
  const SmoothFunction objective = [&](std::span<const double> place, std::span<double> gradient) {
    SurfaceLogs d_logs;
    const double value = surface_objective(all(place), centred.runs(), options.delta, d_logs);
    for (size_t i = 0; i < moving.size(); ++i) gradient[i] = d_logs[moving[i]];
    return value;
  };
  std::vector<double> place;
  for (const size_t i : moving) place.push_back(start[i]);
  Minimum end = minimise(objective, place);
  const SurfaceLogs logs = all(end.place);
  end.place.assign(logs.begin(), logs.end());
  return end;
}

SurfaceLogs logs_of(const Minimum& end) {
  SurfaceLogs logs;
  std::ranges::copy(end.place, logs.begin());
  return logs;
}

std::vector<SurfaceLogs> grid_of_starts(const CentredRuns& centred, double least, const SurfaceFitOptions& options) {
  std::vector<double> floors = {0.3 * least, 0.6 * least, 0.95 * least};
  if (options.floor) floors = {*options.floor};
  std::vector<SurfaceLogs> starts;
  for (const double floor : floors)
    for (const double of_size : {0.2, 0.5, 0.8})  // the size's share of what is above the floor
      for (const double alpha : {0.2, 0.6, 1.2})
        for (const double beta : {0.2, 0.6, 1.2}) {
          const double above = std::max(centred.middle_loss() - floor, 0.01 * least);
          starts.push_back(to_logs({of_size * above, (1 - of_size) * above, floor, alpha, beta}));
        }
  return starts;
}

void check(std::span<const ScalingRun> runs, const SurfaceFitOptions& options) {
  const size_t needed = options.floor ? 5 : 6;
  if (runs.size() < needed)
    throw UserError(
        fmt::format("{} runs are too few for a surface of losses, expected at least {}", runs.size(), needed));
  for (const ScalingRun& run : runs) {
    require(run.parameters > 0 && run.tokens > 0, "fit_surface", "expected runs with parameters and tokens");
    if (!(run.loss > 0) || !std::isfinite(run.loss))
      throw UserError(fmt::format("a run has the loss {}, expected more than 0", run.loss));
  }
  if (options.floor && !(*options.floor > 0))
    throw UserError(fmt::format("the floor is {}, expected more than 0", *options.floor));
}

}  // namespace

SurfaceFit fit_surface_from(const LossSurface& start, std::span<const ScalingRun> runs,
                            const SurfaceFitOptions& options) {
  check(runs, options);
  const CentredRuns centred(runs);
  LossSurface from = start;
  if (options.floor) from.E = *options.floor;
  const Minimum end = descend(centred, centred.centred(to_logs(from)), options);
  return {from_logs(centred.back(logs_of(end))), end.value, 1, 1};
}

SurfaceFit fit_surface(std::span<const ScalingRun> runs, const SurfaceFitOptions& options) {
  check(runs, options);
  const CentredRuns centred(runs);
  const double least = std::ranges::min(runs, {}, &ScalingRun::loss).loss;
  SurfaceFit best;
  best.objective = std::numeric_limits<double>::infinity();
  std::vector<double> ends;
  for (const SurfaceLogs& start : grid_of_starts(centred, least, options)) {
    const Minimum end = descend(centred, start, options);
    ends.push_back(end.value);
    if (end.value < best.objective) best.objective = end.value, best.surface = from_logs(centred.back(logs_of(end)));
  }
  best.starts = ends.size();
  best.agreeing = size_t(std::ranges::count_if(ends, [&](double end) { return end <= 1.001 * best.objective; }));
  return best;
}

}  // namespace cria
