// Chapter 20, approaches 1 and 2: power laws, isoFLOP parabolas and envelopes.
#include <cmath>

#include "chapters/20-scaling-laws/envelope.hpp"
#include "chapters/20-scaling-laws/iso_flop.hpp"
#include "tests/chapters/scaling_surface.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

/// Four budgets; the grid of sizes is `off` from the best one at the first, and `drift` times as far off at each next.
std::vector<IsoFlopCurve> curves_on(const LossSurface& surface, double width, double off = 1, double drift = 1) {
  std::vector<IsoFlopCurve> curves;
  for (const double operations : {1e18, 1e19, 1e20, 1e21}) {
    curves.push_back(runs_of_budget(surface, operations, width, off));
    off *= drift;
  }
  return curves;
}

}  // namespace

TEST_CASE("a power law by hand: nine times the operations, three times the size") {
  const double x[] = {1, 9, 81}, y[] = {2, 6, 18};
  const PowerLaw law = fit_power_law(x, y);
  CHECK(std::abs(law.exponent - 0.5) < 1e-14);
  CHECK(std::abs(law.factor - 2) < 1e-13);
  CHECK(std::abs(law.at(4) - 4) < 1e-13);
  const double same[] = {3, 3};
  CHECK_THROWS_WITH(fit_power_law(same, same), contains("at least two different budgets"));
}

TEST_CASE("a parabola over log N by hand") {
  // Sizes of 10³, 10⁴ and 10⁵ with the losses 1.2, 1 and 1.4: the lowest place is a sixth of a decade below 10⁴.
  const IsoFlopCurve curve = {{1e3, 1e7, 6e10, 1.2}, {1e4, 1e6, 6e10, 1.0}, {1e5, 1e5, 6e10, 1.4}};
  const ScalingRun best = best_of_curve(curve);
  CHECK(std::abs(std::log10(best.parameters) - (4 - 1. / 6)) < 1e-12);
  CHECK(std::abs(best.loss - (1 - 0.01 / 1.2)) < 1e-12);
  CHECK(std::abs(std::log10(best.tokens) - (6 + 1. / 6)) < 1e-12);
}

TEST_CASE("a parabola gives its own numbers back, over uneven places too") {
  const Parabola true_one = {1.7, 2.5, 0.3};
  std::vector<double> x = {-1, 0, 0.5, 2, 4.5, 5}, y;
  for (const double at : x) y.push_back(true_one.at(at));
  const Parabola fitted = fit_parabola(x, y);
  CHECK(std::abs(fitted.place - 1.7) < 1e-12);
  CHECK(std::abs(fitted.least - 2.5) < 1e-12);
  CHECK(std::abs(fitted.curvature - 0.3) < 1e-12);
}

TEST_CASE("parabolas that have no lowest place are refused") {
  const double x[] = {1, 2, 3}, hill[] = {1, 2, 1}, line[] = {1, 2, 3}, twice[] = {1, 2, 2};
  CHECK_THROWS_WITH(fit_parabola(x, hill), contains("has no lowest place"));
  CHECK_THROWS_WITH(fit_parabola(twice, line), contains("at least three different sizes"));
}

TEST_CASE("runs are sorted into budgets, and by size in each") {
  const std::vector<ScalingRun> runs = {{3, 1, 1.02e9, 1}, {1, 1, 3.1e9, 1}, {2, 1, 1e9, 1}, {2, 1, 3e9, 1}};
  const std::vector<IsoFlopCurve> curves = by_budget(runs);
  REQUIRE(curves.size() == 2);
  CHECK(curves[0][0].parameters == 2);
  CHECK(curves[0][1].parameters == 3);
  CHECK(curves[1][0].parameters == 1);
  CHECK(curves[1][1].parameters == 2);
}

TEST_CASE("approach 2 has the true exponent where its grids lie alike around the best sizes") {
  // A curve has the same shape at each budget, so the parabola's error is the same factor at all of them: the exponent
  // does not see it. With alpha = beta the shape is symmetric, and a grid in the middle has no error at all.
  for (const double width : {1.5, 4., 16.})
    for (const double off : {1., 0.5, 2.}) {
      CAPTURE(width, off);
      const OptimumLaws laws = fit_iso_flop(curves_on(published, width, off));
      CHECK(std::abs(laws.parameters.exponent - published.size_exponent()) < 1e-9);
      CHECK(std::abs(laws.tokens.exponent - (1 - published.size_exponent())) < 1e-9);
    }
  const LossSurface even = {400, 400, 1.7, 0.33, 0.33};
  const OptimumLaws exact = fit_iso_flop(curves_on(even, 4));
  for (const double operations : {1e18, 1e24}) {
    CHECK(std::abs(exact.at(operations).parameters / best_allocation(even, operations).parameters - 1) < 1e-8);
    CHECK(std::abs(exact.at(operations).tokens / best_allocation(even, operations).tokens - 1) < 1e-8);
  }
}

TEST_CASE("approach 2 is biased by wide grids and by grids that drift") {
  const auto factor_error = [](double width) {
    const OptimumLaws laws = fit_iso_flop(curves_on({400, 400, 1.7, 0.4, 0.25}, width));
    return std::abs(laws.at(1e19).parameters / best_allocation({400, 400, 1.7, 0.4, 0.25}, 1e19).parameters - 1);
  };
  // The wider, the worse: with 0.15 between the exponents 0.3 %, 3.8 % and 16 %.
  CHECK(factor_error(1.5) < 0.01);
  CHECK(factor_error(4) > 3 * factor_error(1.5));
  CHECK(factor_error(16) > 2 * factor_error(4));
  // A grid whose middle goes from a quarter of the best size to twice it has a wrong exponent, without any noise: 0.011
  // too large.
  const OptimumLaws drifting = fit_iso_flop(curves_on(published, 4, 0.25, 2));
  CHECK(drifting.parameters.exponent - published.size_exponent() > 0.01);
}

TEST_CASE("approach 1: the lowest of all curves, between their points") {
  const TrainingCurve small = {{{1, 1, 1, 4}, {1, 100, 100, 3}}}, middle = {{{2, 1, 1, 8}, {2, 100, 100, 2}}},
                      large = {{{3, 1, 1, 16}, {3, 100, 100, 4}}};
  // Halfway in logarithms the middle one has √(8 · 2) = 4, its tokens are 10.
  const ScalingRun at = curve_at(middle, 10);
  CHECK(std::abs(at.loss - 4) < 1e-14);
  CHECK(std::abs(at.tokens - 10) < 1e-13);
  CHECK(std::isinf(curve_at(middle, 0.5).loss));
  CHECK(std::isinf(curve_at(middle, 101).loss));
  // Of three places the smallest model is best at the first two, which says nothing: still smaller ones may be better.
  const std::vector<TrainingCurve> curves = {small, middle, large};
  const std::vector<ScalingRun> envelope = lower_envelope(curves, 3);
  REQUIRE(envelope.size() == 1);
  CHECK(envelope[0].parameters == 2);
  CHECK(std::abs(envelope[0].tokens - 100) < 1e-11);
  CHECK_THROWS_WITH(lower_envelope(std::span(curves).first(2), 3), contains("expected a wider sweep"));
}

TEST_CASE("approach 1 comes near the true exponent on curves without noise") {
  std::vector<TrainingCurve> curves;
  for (double parameters = 1e7; parameters < 2e11; parameters *= 1.15) {
    TrainingCurve curve;
    for (double tokens = 1e8; tokens < 1e13; tokens *= 1.1)
      curve.points.push_back(run_on(published, parameters, tokens));
    curves.push_back(curve);
  }
  const OptimumLaws laws = fit_envelope(curves, 400);
  // Sizes come in steps of 15 %, and curves are followed in steps of 10 %.
  CHECK(std::abs(laws.parameters.exponent - published.size_exponent()) < 0.01);
  CHECK(std::abs(laws.tokens.exponent - (1 - published.size_exponent())) < 0.01);
  CHECK(std::abs(laws.at(1e20).parameters / best_allocation(published, 1e20).parameters - 1) < 0.1);
}
