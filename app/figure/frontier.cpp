// Chapter 17: success against divergence. Best of n lies on the frontier; what is left of it nothing can reach.
#include <fmt/format.h>

#include "app/figure/axes.hpp"
#include "app/figure/figures.hpp"
#include "chapters/17-rejection-sampling/best_of.hpp"

namespace cria::figure {
namespace {

constexpr double base = 0.295;  // of the stories that the demo's model tells

}  // namespace

std::string draw_frontier(const Subject&) {
  Svg svg(
      700, 420, "Best of n on the frontier",
      "Success rises from 29.5 % along a curve over the divergence in nats, steeply at first. Best of 2, 4, 8 and 16 "
      "lie on it; the bound for any reward would put them further right.");
  svg.text(16, 48, fmt::format("A model that is right in {:.1f} % of its answers.", 100 * base), "dim");
  Axes axes(svg, {64, 104, 600, 260}, {0, 2}, {0.2, 1});
  axes.draw({.title = "Success against divergence from the model",
             .x = "divergence, nats",
             .y = "answers that are right",
             .y_text = percent});
  std::vector<double> divergence, success;
  for (int i = 0; i <= 400; ++i) {
    success.push_back(base + (1 - base) * i / 400.0);
    divergence.push_back(bernoulli_divergence(success.back(), base));
  }
  axes.curve(divergence, success, "line s0");
  std::vector<double> bounds, reached;
  for (size_t n = 1; n <= 16; n *= 2) {
    const double q = best_of_success(base, n);
    bounds.push_back(best_of_divergence_bound(n));
    reached.push_back(q);
    const Point at = axes.at(best_of_divergence(base, n), q);
    svg.circle(at, 4, "f0");
    svg.text(at.x + 9, at.y + 14, n == 1 ? "the model" : fmt::format("best of {}", n), "small n0");
  }
  axes.curve(bounds, reached, "line s1 dashed");
  const Point end = axes.at(bounds.back(), reached.back());
  svg.text(end.x - 8, end.y + 34, "bound for any reward", "small e n1");
  return svg.finish();
}

}  // namespace cria::figure
