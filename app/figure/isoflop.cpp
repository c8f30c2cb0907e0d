// Chapter 20: losses of equal operations over the size, and the best sizes beside the Llamas.
#include <fmt/format.h>

#include <cmath>

#include "app/figure/axes.hpp"
#include "app/figure/count_tick.hpp"
#include "app/figure/figures.hpp"
#include "app/train/scaling_llamas.hpp"
#include "chapters/20-scaling-laws/published_surface.hpp"

namespace cria::figure {

std::string draw_isoflop(const Subject&) {
  const LossSurface& surface = besiroglu_surface;
  Svg svg(
      700, 760, "Equal operations, models of several sizes",
      "Above, the loss over the number of parameters for six budgets: each curve has a lowest place, which moves to "
      "the right and down as the budget grows. Below, the best size over the operations as a line, and the Llamas: "
      "they lie under it.");
  svg.text(16, 48, "By the surface of Besiroglu et al. 2024: losses in nats a token.", "dim");
  const Scale sizes = {3e7, 1e12, Scale::decades};
  Axes loss(svg, {64, 104, 520, 260}, sizes, {1.8, 3.4});
  loss.draw({.title = "Loss of a budget", .x = "parameters", .y = "nats a token", .x_text = count_tick});
  loss.level(surface.E, "axis dashed");
  std::vector<double> best_sizes, best_losses;
  double label = 130;
  for (int decade = 19; decade <= 24; ++decade) {
    const double operations = std::pow(10, decade);
    const std::string colour = fmt::format("{}", (decade - 19) % 6);
    std::vector<double> x, y;
    for (int i = 0; i <= 400; ++i) {
      const double parameters = sizes.low * std::pow(sizes.high / sizes.low, i / 400.0);
      const double height = surface.at(parameters, operations / (6 * parameters));
      if (height < 3.4) x.push_back(parameters), y.push_back(height);
    }
    loss.curve(x, y, "line s" + colour);
    const Allocation best = best_allocation(surface, operations);
    best_sizes.push_back(best.parameters), best_losses.push_back(surface.at(best.parameters, best.tokens));
    svg.circle(loss.at(best_sizes.back(), best_losses.back()), 4, "f" + colour);
    svg.text(596, label, fmt::format("1e{} operations", decade), "small n" + colour);
    label += 20;
  }
  loss.curve(best_sizes, best_losses, "thin ink dashed");

  const Scale operations = {1e19, 1e26, Scale::decades};
  const Scale tall = {3e8, 1e12, Scale::decades};
  Axes best(svg, {64, 446, 520, 250}, operations, tall);
  best.draw({.title = "The best size, and the Llamas",
             .x = "operations of training, 6 N D",
             .y = "parameters",
             .y_text = count_tick});
  std::vector<double> x, y;
  for (int i = 0; i <= 70; ++i) {
    const double at = std::pow(10, 19 + i / 10.0), size = best_allocation(surface, at).parameters;
    if (size >= tall.low && size <= tall.high) x.push_back(at), y.push_back(size);
  }
  best.curve(x, y, "line s0");
  const Point end = best.at(x.back(), y.back());
  svg.text(end.x - 30, end.y + 8, "best size", "small e n0");
  for (const PublishedLlama& llama : published_llamas()) {
    const bool second = llama.name.starts_with("llama-2"), third = llama.name.starts_with("llama-3.");
    const std::string colour = third ? "2" : second ? "1" : "3";
    const Point at = best.at(6 * llama.parameters * llama.tokens, llama.parameters);
    svg.circle(at, 4, "f" + colour);
    const std::string size = llama.name.substr(llama.name.rfind('-') + 1);
    svg.text(third || second ? at.x + 7 : at.x - 7, at.y + 4, size,
             std::string("tiny ") + (third || second ? "" : "e ") + "n" + colour);
  }
  label = 480;
  for (const auto& [name, colour] : {std::pair{"LLaMA", "3"}, {"Llama 2", "1"}, {"Llama 3.1", "2"}}) {
    svg.text(596, label, name, std::string("small n") + colour);
    label += 20;
  }
  return svg.finish();
}

}  // namespace cria::figure
