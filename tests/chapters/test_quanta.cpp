// Chapter 20: what theory says of facts with Zipf's weights.
#include <cmath>
#include <utility>

#include "chapters/20-scaling-laws/quanta.hpp"
#include "chapters/20-scaling-laws/surface_fit.hpp"
#include "lib/base/random.hpp"
#include "lib/grammar/zipf.hpp"
#include "tests/chapters/scaling_surface.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

const double three[] = {0.5, 0.25, 0.25};

/// Of log y over log x between x and 1.1 x.
template <class Share>
double slope_at(Share&& share, double x) {
  return std::log(share(1.1 * x) / share(x)) / std::log(1.1);
}

}  // namespace

TEST_CASE("quanta: the example of the lesson, worked by hand") {
  CHECK(share_not_held(three, 0) == 1);
  CHECK(share_not_held(three, 1) == 0.5);
  CHECK(share_not_held(three, 1.5) == 0.375);
  CHECK(share_not_held(three, 3) == 0);
  CHECK(share_not_held(three, 7) == 0);
  CHECK(share_not_met(three, 0) == 1);
  CHECK(std::abs(share_not_met(three, 2) - 13. / 32) < 1e-15);
  const QuantaExponents half = quanta_exponents(0.5);
  CHECK(half.alpha == 0.5);
  CHECK(std::abs(half.beta - 1. / 3) < 1e-15);
  CHECK(std::abs(LossSurface{1, 1, 0, half.alpha, half.beta}.size_exponent() - 0.4) < 1e-15);
}

TEST_CASE("the share that was not met is the mean over all that could have been drawn") {
  const double p[] = {0.4, 0.3, 0.2, 0.1};
  const int draws = 5;
  double mean = 0;
  for (int number = 0; number < 1024; ++number) {  // five draws from four, as a number with five digits
    double probability = 1;
    bool met[4] = {};
    for (int i = 0, rest = number; i < draws; ++i, rest /= 4) probability *= p[rest % 4], met[rest % 4] = true;
    for (int k = 0; k < 4; ++k)
      if (!met[k]) mean += probability * p[k];
  }
  CHECK(std::abs(share_not_met(p, draws) - mean) < 1e-14);
}

TEST_CASE("a long list's shares fall by the exponents of theory") {
  for (const auto& [alpha, limit] : {std::pair(0.5, 0.015), std::pair(1.0, 0.003)}) {
    const std::vector<double> p = zipf_probabilities({.facts = 1u << 20, .exponent = alpha});
    const auto held = [&](double n) { return share_not_held(p, n); };
    const auto met = [&](double n) { return share_not_met(p, n); };
    const QuantaExponents theory = quanta_exponents(alpha);
    CAPTURE(alpha, slope_at(held, 200), slope_at(met, 3000));
    // What a list lacks behind its end makes both steeper: (200 / 2^20)^α = 1.4 % at α = 0.5, of which a sum's steps,
    // as of an integral from half a step further on, take 0.2 %. At α = 1 the end does 0.02 %, and the steps decide:
    // 0.22 %, of draws 0.02 %.
    CHECK(std::abs(-slope_at(held, 200) / theory.alpha - 1) < limit);
    CHECK(std::abs(-slope_at(met, 3000) / theory.beta - 1) < limit);
  }
}

TEST_CASE("runs as theory has them give its exponents, and what a quantum takes") {
  const std::vector<double> p = zipf_probabilities({.facts = 1u << 16, .exponent = 1});
  std::vector<ScalingRun> runs;
  for (const double n : {1e4, 3e4, 1e5, 3e5})
    for (const double d : {1e6, 1e7, 1e8})
      runs.push_back({n, d, 6 * n * d, 0.3 + 2.5 * (share_not_held(p, n / 1000) + share_not_met(p, d / 3000))});
  const SurfaceFit fit = fit_surface(runs, {.floor = 0.3});
  const QuantaExponents theory = quanta_exponents(1);
  CAPTURE(fit.surface.alpha, fit.surface.beta);
  // From 10 quanta on a sum is an integral from half a step further on: 5 % there, and 3 % in the fit.
  CHECK(std::abs(fit.surface.alpha / theory.alpha - 1) < 0.04);
  CHECK(std::abs(fit.surface.beta / theory.beta - 1) < 0.012);  // draws are smoother
  const QuantaTheory again = theory_of_runs(p, 2.5, fit.surface, runs);
  CAPTURE(again.parameters, again.tokens);
  CHECK(std::abs(again.parameters / 1000 - 1) < 0.02);
  CHECK(std::abs(again.tokens / 3000 - 1) < 0.04);
  for (size_t i = 0; i < runs.size(); ++i) CHECK(std::abs(again.runs[i].loss / runs[i].loss - 1) < 0.006);
  CHECK_THROWS_WITH(theory_of_runs(p, 1e-3, fit.surface, runs), contains("expected between 0 and 1"));
}
