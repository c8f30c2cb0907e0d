// Chapter 20, approach 3: the surface of losses, its objective, its fit, and what a fit may be off.
#include <cmath>

#include "chapters/20-scaling-laws/bootstrap.hpp"
#include "chapters/20-scaling-laws/lifetime.hpp"
#include "chapters/20-scaling-laws/minimise.hpp"
#include "chapters/20-scaling-laws/surface_fit.hpp"
#include "tests/chapters/scaling_surface.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

/// The largest relative error of the five numbers.
double error_of(const LossSurface& fitted, const LossSurface& true_one) {
  double error = 0;
  const double pairs[][2] = {{fitted.A, true_one.A},
                             {fitted.B, true_one.B},
                             {fitted.E, true_one.E},
                             {fitted.alpha, true_one.alpha},
                             {fitted.beta, true_one.beta}};
  for (const auto& [now, then] : pairs) error = std::max(error, std::abs(now / then - 1));
  return error;
}

}  // namespace

TEST_CASE("scaling laws: the example of the lesson, worked by hand") {
  CHECK(std::abs(by_hand.at(1e4, 1e8) - 1) < 1e-15);
  CHECK(std::abs(by_hand.size_exponent() - 1. / 3) < 1e-15);
  const Allocation best = best_allocation(by_hand, 6e12);
  CHECK(std::abs(best.parameters / 1e4 - 1) < 1e-14);
  CHECK(std::abs(best.tokens / 1e8 - 1) < 1e-14);
  // 64 times the operations: 4 times the size, 16 times the tokens.
  CHECK(std::abs(best_allocation(by_hand, 64 * 6e12).parameters / 4e4 - 1) < 1e-14);
  CHECK(std::abs(best_allocation(by_hand, 64 * 6e12).tokens / 16e8 - 1) < 1e-14);

  // The surface says 1, measured was 1.01: a residual beyond delta.
  const double residual = std::log(1.01);
  SurfaceLogs gradient;
  std::vector<ScalingRun> runs = {{1e4, 1e8, 6e12, 1.01}};
  const double far = 1e-3 * (residual - 0.5e-3);
  CHECK(std::abs(surface_objective(to_logs(by_hand), runs, 1e-3, gradient) / far - 1) < 1e-12);
  const double expected[] = {-1e-4, -2e-4, -7e-4, 1e-4 * std::log(1e4), 2e-4 * std::log(1e8)};
  for (size_t i = 0; i < 5; ++i) CHECK(std::abs(gradient[i] / expected[i] - 1) < 1e-12);
  // A second run, within delta, adds its own: nothing is divided by two.
  runs.push_back({1e6, 1e4, 6e10, 2.71 * std::exp(-0.5e-3)});
  const double near = 0.5e-3 * 0.5e-3 / 2;
  CHECK(std::abs(surface_objective(to_logs(by_hand), runs, 1e-3, gradient) / (far + near) - 1) < 1e-9);
}

TEST_CASE("the Huber loss is a parabola that goes on as a straight line") {
  CHECK(huber(0.0005, 1e-3) == 0.0005 * 0.0005 / 2);
  CHECK(std::abs(huber(0.002, 1e-3) - 1.5e-6) < 1e-20);
  CHECK(huber(-0.002, 1e-3) == huber(0.002, 1e-3));
  CHECK(huber_slope(-0.002, 1e-3) == -1e-3);
  CHECK(std::abs(huber(1e-3 + 1e-12, 1e-3) - huber(1e-3 - 1e-12, 1e-3)) < 3e-15);
}

TEST_CASE("the gradient of the surface's objective agrees with differences") {
  Random random(3);
  std::vector<ScalingRun> runs = sweep_on(published);
  for (ScalingRun& run : runs) run.loss *= std::exp(0.01 * random.normal());
  const SurfaceLogs at = to_logs({300, 1500, 1.7, 0.33, 0.35});
  for (const double delta : {1e-3, 10.}) {  // some beyond delta, or none
    SurfaceLogs gradient, unused;
    surface_objective(at, runs, delta, gradient);
    for (size_t i = 0; i < 5; ++i) {
      CAPTURE(delta, i);
      const double step = 1e-6;
      SurfaceLogs up = at, down = at;
      up[i] += step, down[i] -= step;
      const double slope =
          (surface_objective(up, runs, delta, unused) - surface_objective(down, runs, delta, unused)) / (2 * step);
      CHECK(std::abs(gradient[i] - slope) < 1e-6 * std::abs(slope));
    }
  }
}

TEST_CASE("an objective of losses is finite for surfaces far away") {
  SurfaceLogs gradient;
  const std::vector<ScalingRun> runs = {{1e10, 1e12, 6e22, 2}};
  const double far = surface_objective({1000, 25, 1, 0, 2}, runs, 1e-3, gradient);
  CHECK(std::abs(far - 1e-3 * (1000 - std::log(2.) - 0.5e-3)) < 1e-12);
  CHECK(gradient[0] == 1e-3);
}

TEST_CASE("the best allocation is the lowest place of its budget") {
  for (const LossSurface& surface : {by_hand, published})
    for (const double operations : {1e12, 1e21}) {
      const Allocation best = best_allocation(surface, operations);
      CHECK(std::abs(6 * best.parameters * best.tokens / operations - 1) < 1e-14);
      for (const double off : {0.9, 1.1})
        CHECK(surface.at(best.parameters * off, best.tokens / off) > surface.at(best.parameters, best.tokens));
    }
  CHECK(std::abs(published.size_exponent() - 0.513) < 5e-4);
}

TEST_CASE("a surface without noise gives its numbers back") {
  for (const LossSurface& surface : {by_hand, published, LossSurface{406.4, 410.7, 1.69, 0.34, 0.28}}) {
    const SurfaceFit fit = fit_surface(sweep_on(surface));
    CAPTURE(fit.objective, fit.agreeing, fit.surface.A, fit.surface.alpha);
    CHECK(error_of(fit.surface, surface) < 1e-6);
    CHECK(error_of(fit_surface(sweep_on(surface), {.floor = surface.E}).surface, surface) < 1e-6);
  }
}

TEST_CASE("a floor that is known holds a fit of noisy runs, which is far off without") {
  Random random(5);
  double error_free = 0, error_known = 0;
  for (int i = 0; i < 5; ++i) {
    std::vector<ScalingRun> runs = sweep_on(published);
    for (ScalingRun& run : runs) run.loss *= std::exp(0.005 * random.normal());
    error_free += std::abs(fit_surface(runs).surface.alpha / published.alpha - 1) / 5;
    const SurfaceFit known = fit_surface(runs, {.floor = published.E});
    CHECK(std::abs(known.surface.E / published.E - 1) < 1e-15);
    error_known += std::abs(known.surface.alpha / published.alpha - 1) / 5;
  }
  CAPTURE(error_free, error_known);
  CHECK(error_known < 0.5 * error_free);
}

TEST_CASE("the minimiser finds Rosenbrock's valley's end") {
  const SmoothFunction valley = [](std::span<const double> x, std::span<double> gradient) {
    const double across = x[1] - x[0] * x[0], along = 1 - x[0];
    gradient[0] = -400 * across * x[0] - 2 * along;
    gradient[1] = 200 * across;
    return 100 * across * across + along * along;
  };
  const Minimum end = minimise(valley, {-1.2, 1});
  CHECK(std::abs(end.place[0] - 1) < 1e-8);
  CHECK(std::abs(end.place[1] - 1) < 1e-8);
  CHECK(end.steps < 60);
}

TEST_CASE("an update of the inverse second derivatives maps the change to the step") {
  std::vector<double> inverse = {2, 0.5, 0.5, 1};
  const std::vector<double> step = {0.3, -0.2}, change = {0.5, 0.1};
  update_inverse_hessian(inverse, step, change);
  for (size_t i = 0; i < 2; ++i)
    CHECK(std::abs(inverse[2 * i] * change[0] + inverse[2 * i + 1] * change[1] - step[i]) < 1e-14);
  CHECK(std::abs(inverse[1] - inverse[2]) < 1e-14);
  CHECK(inverse[0] * inverse[3] > inverse[1] * inverse[2]);  // downhill stays downhill
}

TEST_CASE("a bootstrap draws with replacement") {
  std::vector<ScalingRun> runs(2000);
  for (size_t i = 0; i < runs.size(); ++i) runs[i].parameters = double(i);
  Random random(1);
  std::vector<ScalingRun> drawn = drawn_again(runs, random);
  REQUIRE(drawn.size() == runs.size());
  std::ranges::sort(drawn, {}, &ScalingRun::parameters);
  const auto [first, last] = std::ranges::unique(drawn, {}, &ScalingRun::parameters);
  // 1 - 1/e of them, with a standard deviation of 0.7 %.
  CHECK(std::abs(double(drawn.size() - size_t(last - first)) / 2000 - (1 - std::exp(-1.))) < 0.03);
}

TEST_CASE("the middle of values leaves out as many on each side") {
  const Interval most = middle_of({11, 3, 1, 2, 7, 5, 4, 6, 9, 8, 10}, 0.8);
  CHECK(std::abs(most.low - 2) < 1e-14);
  CHECK(std::abs(most.high - 10) < 1e-14);
  const Interval half = middle_of({0, 1, 2}, 0.5);
  CHECK(std::abs(half.low - 0.5) < 1e-14);
  CHECK(std::abs(half.high - 1.5) < 1e-14);
}

TEST_CASE("of bootstrap intervals about as many hold the truth as they say") {
  Random random(4);
  const SurfaceFitOptions known = {.floor = published.E};
  const int sweeps = 60;
  int holding = 0, holding_half = 0;
  for (int i = 0; i < sweeps; ++i) {
    std::vector<ScalingRun> runs = sweep_on(published);
    for (ScalingRun& run : runs) run.loss *= std::exp(0.005 * random.normal());
    std::vector<double> exponents;
    for (const LossSurface& surface :
         bootstrap_surfaces(runs, fit_surface_from(published, runs, known), 25, std::uint64_t(i), known))
      exponents.push_back(surface.size_exponent());
    const auto holds = [&](double share) {
      const Interval interval = middle_of(exponents, share);
      return interval.low < published.size_exponent() && published.size_exponent() < interval.high;
    };
    holding += holds(0.8), holding_half += holds(0.5);
  }
  CAPTURE(holding, holding_half);
  // Of 60 that are 48 and 30, with standard deviations of 3.1 and 3.9.
  CHECK(std::abs(holding - 48) <= 9);
  CHECK(std::abs(holding_half - 30) <= 11);
}

TEST_CASE("a bootstrap is decided by its seed, and more draws go on from fewer") {
  Random random(6);
  std::vector<ScalingRun> runs = sweep_on(published);
  for (ScalingRun& run : runs) run.loss *= std::exp(0.005 * random.normal());
  const SurfaceFit fit = fit_surface_from(published, runs);
  const auto exponents = [&](size_t count, std::uint64_t seed) {
    std::vector<double> values;
    for (const LossSurface& surface : bootstrap_surfaces(runs, fit, count, seed)) values.push_back(surface.alpha);
    return values;
  };
  const std::vector<double> first = exponents(8, 3), more = exponents(12, 3);
  CHECK(first == exponents(8, 3));
  CHECK(first == std::vector(more.begin(), more.begin() + 8));
  CHECK(first != exponents(8, 4));
}

TEST_CASE("a lifetime's cost by hand, and its best size") {
  CHECK(std::abs(tokens_for_loss(by_hand, 1e4, 1) / 1e8 - 1) < 1e-13);
  CHECK(std::isinf(tokens_for_loss(by_hand, 1e4, 0.79)));
  CHECK(std::abs(lifetime_operations(by_hand, 1e4, 1, 3e8) / 1.2e13 - 1) < 1e-13);
  // Nothing served: the best place of the budget. The more is served, the smaller, and the longer trained.
  const Allocation unserved = best_for_lifetime(by_hand, 1, 0);
  CHECK(std::abs(unserved.parameters / 1e4 - 1) < 1e-6);
  const Allocation served = best_for_lifetime(by_hand, 1, 1e10);
  CHECK(served.parameters < 0.8 * unserved.parameters);
  CHECK(served.tokens > unserved.tokens);
  CHECK(std::abs(by_hand.at(served.parameters, served.tokens) - 1) < 1e-9);
  CHECK_THROWS_WITH(best_for_lifetime(by_hand, 0.7, 0), contains("a loss of 0.7 is never reached"));
}

TEST_CASE("what no surface can be fitted to is refused") {
  const std::vector<ScalingRun> few(5, ScalingRun{1e4, 1e8, 6e12, 1});
  CHECK_THROWS_WITH(fit_surface(few), contains("5 runs are too few for a surface of losses, expected at least 6"));
  std::vector<ScalingRun> runs = sweep_on(by_hand);
  CHECK_THROWS_WITH(fit_surface(runs, {.floor = -1}), contains("the floor is -1, expected more than 0"));
  runs[3].loss = NAN;
  CHECK_THROWS_WITH(fit_surface(runs), contains("a run has the loss nan, expected more than 0"));
}
