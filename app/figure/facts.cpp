// Chapter 20: what is lacking of facts with Zipf's weights, over how many are held or were met.
#include <fmt/format.h>

#include <cmath>

#include "app/figure/axes.hpp"
#include "app/figure/count_tick.hpp"
#include "app/figure/figures.hpp"
#include "chapters/20-scaling-laws/quanta.hpp"
#include "lib/grammar/zipf.hpp"

namespace cria::figure {

std::string draw_facts(const Subject&) {
  const ZipfShape shape;
  const std::vector<double> p = zipf_probabilities(shape);
  const QuantaExponents exponents = quanta_exponents(shape.exponent);
  Svg svg(
      700, 400, "What a model lacks of the facts",
      "The share of text that needs a fact which is lacking, on logarithmic axes: over the number of facts that are "
      "held, and over that of facts drawn. Both fall as straight lines, the first one more steeply, until the list "
      "nears its end.");
  svg.text(
      16, 48,
      fmt::format("{} facts, the k-th as frequent as k^-{:g}. Dashed: theory's powers.", p.size(), 1 + shape.exponent),
      "dim");
  const Scale count = {1, 1e5, Scale::decades};
  Axes axes(svg, {64, 104, 490, 240}, count, {0.001, 1, Scale::decades});
  axes.draw({.title = "Text that needs a fact which is lacking",
             .x = "facts held, or drawn",
             .y = "share",
             .x_text = count_tick,
             .y_text = percent});
  struct Curve {
    double (*share)(std::span<const double>, double);
    double exponent;
    const char* name;
  };
  const Curve curves[] = {{share_not_held, exponents.alpha, "not held"}, {share_not_met, exponents.beta, "not met"}};
  std::vector<double> heights;
  for (size_t i = 0; i < std::size(curves); ++i) {
    const Curve& curve = curves[i];
    constexpr double shared = 100;  // where theory's line goes through the curve
    std::vector<double> x, y, theory;
    for (int k = 0; k <= 60; ++k) {
      const double at = std::pow(10, 4.5 * k / 60);
      x.push_back(at), y.push_back(curve.share(p, at));
      theory.push_back(curve.share(p, shared) * std::pow(at / shared, -curve.exponent));
    }
    axes.curve(x, theory, "axis dashed");
    axes.curve(x, y, fmt::format("line s{}", i));
    heights.push_back(axes.at(x.back(), y.back()).y + 4);
  }
  const std::vector<double> places = spread(heights, 16, 110, 350);
  for (size_t i = 0; i < std::size(curves); ++i) svg.text(566, places[i], curves[i].name, fmt::format("small n{}", i));
  return svg.finish();
}

}  // namespace cria::figure
