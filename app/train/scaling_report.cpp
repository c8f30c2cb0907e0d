#include "app/train/scaling_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "app/figure/axes.hpp"
#include "app/quantities.hpp"
#include "chapters/20-scaling-laws/bootstrap.hpp"
#include "chapters/20-scaling-laws/envelope.hpp"
#include "chapters/20-scaling-laws/iso_flop.hpp"
#include "chapters/20-scaling-laws/quanta.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace {

/// A fit, or why there is none.
template <class Fit>
struct Tried {
  std::optional<Fit> fit;
  std::string reason;
};

template <class Work>
auto attempt(Work&& work) -> Tried<decltype(work())> {
  try {
    return {work(), ""};
  } catch (const UserError& error) {
    return {std::nullopt, error.what()};
  }
}

/// Those of the budgets that have a lowest place.
struct Parabolas {
  std::vector<IsoFlopCurve> curves;
  std::vector<size_t> left_out;  // numbers of budgets

  explicit Parabolas(std::span<const ScalingRun> runs) {
    const std::vector<IsoFlopCurve> all = by_budget(runs);
    for (size_t i = 0; i < all.size(); ++i) {
      const auto best = attempt([&] { return best_of_curve(all[i]); });
      const bool inside = best.fit && best.fit->parameters > all[i].front().parameters &&
                          best.fit->parameters < all[i].back().parameters;
      if (inside)
        curves.push_back(all[i]);
      else
        left_out.push_back(i + 1);
    }
  }
};

void print_law(const char* label, double of_size, double of_tokens, double operations, const Allocation& then) {
  fmt::print("{:26} N ~ C^{:.3f}  D ~ C^{:.3f}   at {:.1e}: {} parameters, {} tokens\n", label, of_size, of_tokens,
             operations, count_text(then.parameters), count_text(then.tokens));
}

void print_laws(const char* label, const Tried<OptimumLaws>& laws, double operations) {
  if (!laws.fit) return fmt::print("{:26} none: {}\n", label, laws.reason);
  print_law(label, laws.fit->parameters.exponent, laws.fit->tokens.exponent, operations, laws.fit->at(operations));
}

std::string interval_text(const std::vector<LossSurface>& surfaces, double (*of)(const LossSurface&)) {
  std::vector<double> values;
  for (const LossSurface& surface : surfaces) values.push_back(of(surface));
  const Interval middle = middle_of(values);
  return fmt::format("{:.4g} … {:.4g}", middle.low, middle.high);
}

std::optional<LossSurface> print_surface(const char* label, const SweepResult& result, const SurfaceFitOptions& options,
                                         size_t bootstrap, std::uint64_t seed, double operations) {
  const auto tried = attempt([&] { return fit_surface(result.runs, options); });
  if (!tried.fit) {
    fmt::print("{:26} none: {}\n", label, tried.reason);
    return std::nullopt;
  }
  const LossSurface& s = tried.fit->surface;
  print_law(label, s.size_exponent(), 1 - s.size_exponent(), operations, best_allocation(s, operations));
  struct Number {
    const char* name;
    double (*of)(const LossSurface&);
  };
  constexpr Number numbers[] = {{"A", [](const LossSurface& x) { return x.A; }},
                                {"B", [](const LossSurface& x) { return x.B; }},
                                {"E", [](const LossSurface& x) { return x.E; }},
                                {"alpha", [](const LossSurface& x) { return x.alpha; }},
                                {"beta", [](const LossSurface& x) { return x.beta; }},
                                {"a", [](const LossSurface& x) { return x.size_exponent(); }}};
  std::vector<LossSurface> drawn;
  if (bootstrap > 0) drawn = bootstrap_surfaces(result.runs, *tried.fit, bootstrap, seed, options);
  for (const Number& number : numbers)
    fmt::print("    {:6} {:>10.4g}{}\n", number.name, number.of(s),
               drawn.empty() ? "" : fmt::format("   80 % of draws: {}", interval_text(drawn, number.of)));
  return s;
}

void print_exponents(const char* label, const LossSurface& s) {
  fmt::print("{:26} alpha {:.3f}  beta {:.3f}  a {:.3f}\n", label, s.alpha, s.beta, s.size_exponent());
}

/// In per cent, the root mean square over all runs.
double off_by(std::span<const ScalingRun> runs, const std::function<double(size_t)>& loss) {
  double squares = 0;
  for (size_t i = 0; i < runs.size(); ++i) squares += std::pow(std::log(loss(i) / runs[i].loss), 2);
  return 100 * std::sqrt(squares / double(runs.size()));
}

/// The exponents of a list without end, beside those that the same fit finds in theory's losses at these runs' places.
void print_theory(const SweepResult& result, const LossSurface& fit) {
  const QuantaOfCorpus& quanta = *result.quanta;
  const QuantaExponents exponents = quanta_exponents(quanta.exponent);
  print_exponents("theory, facts without end", {1, 1, 0, exponents.alpha, exponents.beta});
  const std::span<const ScalingRun> runs = result.runs;
  const auto theory = attempt([&] { return theory_of_runs(quanta.p, quanta.cost, fit, runs); });
  if (!theory.fit) return fmt::print("{:26} none: {}\n", "theory, at these runs", theory.reason);
  print_exponents("theory, at these runs", fit_surface(theory.fit->runs, {.floor = result.floor}).surface);
  fmt::print("    with {:.0f} parameters and {:.0f} tokens for a fact: {:.0f} facts in the middle of the runs\n",
             theory.fit->parameters, theory.fit->tokens, theory.fit->held);
  fmt::print("    losses are off by {:.2g} %, those of the fit by {:.2g} %\n",
             off_by(runs, [&](size_t i) { return theory.fit->runs[i].loss; }),
             off_by(runs, [&](size_t i) { return fit.at(runs[i].parameters, runs[i].tokens); }));
}

}  // namespace

void print_fits(const SweepResult& result, size_t bootstrap, std::uint64_t seed) {
  const double next = 10 * std::ranges::max(result.runs, {}, &ScalingRun::operations).operations;
  const Parabolas parabolas(result.runs);
  print_laws("1 envelope of all curves", attempt([&] { return fit_envelope(result.curves); }), next);
  print_laws("2 isoFLOP parabolas", attempt([&] { return fit_iso_flop(parabolas.curves); }), next);
  for (const size_t budget : parabolas.left_out)
    fmt::print("    left out: budget {}, whose losses have no lowest place among its sizes\n", budget);
  fmt::print("(3 counts 6 N D as the operations of a size; 1 and 2 count them as they are.)\n");
  print_surface("3 surface, E free", result, {}, bootstrap, seed, next);
  if (!result.floor) return;
  const auto fixed = print_surface("3 surface, E fixed", result, {.floor = result.floor}, bootstrap, seed, next);
  if (fixed && result.quanta) print_theory(result, *fixed);
  fmt::print("The floor is {:.4f} {}.\n", *result.floor, result.unit);
}

std::string draw_sweep(const SweepResult& result) {
  using namespace figure;
  const std::vector<IsoFlopCurve> curves = by_budget(result.runs);
  const Parabolas parabolas(result.runs);
  std::vector<double> sizes, losses, operations;
  for (const ScalingRun& run : result.runs)
    sizes.push_back(run.parameters), losses.push_back(run.loss), operations.push_back(run.operations);
  if (result.floor) losses.push_back(*result.floor);
  const auto around = [](std::vector<double> values, double by) {
    return Scale{std::ranges::min(values) / by, std::ranges::max(values) * by, Scale::decades};
  };
  const Scale size_scale = around(sizes, 1.3);
  Svg svg(700, 720, "Equal operations, models of several sizes",
          "Above, the held-out loss over the size, a curve for each budget with a lowest place. Below, the best size "
          "over the operations.");
  svg.text(16, 48,
           fmt::format("{} runs with {} budgets.{}", result.runs.size(), curves.size(),
                       result.floor ? " Dashed: the floor, below which no model comes." : ""),
           "dim");
  Axes loss(svg, {64, 104, 490, 250}, size_scale, Scale::of(losses).rounded(5));
  loss.draw({.title = "Loss of a budget", .x = "parameters", .y = result.unit, .x_text = count_text});
  if (result.floor) loss.level(*result.floor, "axis dashed");
  double label = 130;
  for (size_t i = 0; i < curves.size(); ++i) {
    const std::string colour = fmt::format("{}", i % 6);
    for (const ScalingRun& run : curves[i]) svg.circle(loss.at(run.parameters, run.loss), 3.5, "f" + colour);
    svg.text(566, label, fmt::format("{:.1e}", curves[i].front().operations), "small n" + colour);
    label += 20;
    const auto parabola = attempt([&] { return fit_curve(curves[i]); });
    if (!parabola.fit) continue;
    std::vector<double> x, y;
    for (int k = 0; k <= 100; ++k) {
      x.push_back(curves[i].front().parameters *
                  std::pow(curves[i].back().parameters / curves[i].front().parameters, k / 100.0));
      y.push_back(parabola.fit->at(std::log(x.back())));
    }
    loss.curve(x, y, "line s" + colour);
  }
  svg.text(566, label, "operations", "small dim");

  const Scale operation_scale = around(operations, 1.5);
  Axes best(svg, {64, 436, 490, 220}, operation_scale, size_scale);
  best.draw({.title = "The best size", .x = "operations", .y = "parameters", .y_text = count_text});
  for (const IsoFlopCurve& curve : parabolas.curves) {
    const ScalingRun run = best_of_curve(curve);
    svg.circle(best.at(run.operations, run.parameters), 4, "f1");
  }
  label = 462;
  const auto line = [&](const char* name, const char* colour, const auto& size_at) {
    std::vector<double> x, y;
    for (int k = 0; k <= 50; ++k) {
      const double at = operation_scale.low * std::pow(operation_scale.high / operation_scale.low, k / 50.0);
      const double size = size_at(at);
      if (size >= size_scale.low && size <= size_scale.high) x.push_back(at), y.push_back(size);
    }
    if (x.size() > 1) best.curve(x, y, std::string("line s") + colour);
    svg.text(566, label, name, std::string("small n") + colour);
    label += 20;
  };
  if (const auto laws = attempt([&] { return fit_envelope(result.curves); }); laws.fit)
    line("1 envelope", "0", [&](double at) { return laws.fit->parameters.at(at); });
  if (const auto laws = attempt([&] { return fit_iso_flop(parabolas.curves); }); laws.fit)
    line("2 parabolas", "1", [&](double at) { return laws.fit->parameters.at(at); });
  if (const auto free = attempt([&] { return fit_surface(result.runs); }); free.fit)
    line("3 E free", "2", [&](double at) { return best_allocation(free.fit->surface, at).parameters; });
  if (result.floor)
    if (const auto fixed = attempt([&] { return fit_surface(result.runs, {.floor = result.floor}); }); fixed.fit)
      line("3 E fixed", "3", [&](double at) { return best_allocation(fixed.fit->surface, at).parameters; });
  return svg.finish();
}

}  // namespace cria
