// Chapter 20: training and serving together, for the sizes of LLaMA.
#include <fmt/format.h>

#include <cmath>

#include "app/figure/axes.hpp"
#include "app/figure/count_tick.hpp"
#include "app/figure/figures.hpp"
#include "app/train/scaling_llamas.hpp"
#include "chapters/20-scaling-laws/lifetime.hpp"
#include "chapters/20-scaling-laws/published_surface.hpp"

namespace cria::figure {

std::string draw_lifetime(const Subject&) {
  const LossSurface& surface = besiroglu_surface;
  Svg svg(
      700, 430, "What a model's life costs",
      "The operations of training and serving a model of LLaMA's sizes, against those of the model that is cheapest "
      "to train to the same loss, over the tokens that are served. The small LLaMAs begin above 1 and fall below it "
      "the more is served.");
  svg.text(16, 48, "Operations of a model, against the one that is cheapest to train to the same loss.", "dim");
  const Scale served = {1e10, 1e15, Scale::decades};
  Axes axes(svg, {64, 104, 500, 260}, served, {0.25, 8, Scale::doublings});
  axes.draw({.title = "Training and serving together",
             .x = "tokens served",
             .y = "times the operations",
             .x_text = count_tick});
  axes.level(1, "axis dashed");
  std::vector<double> heights;
  std::vector<PublishedLlama> drawn;
  for (const PublishedLlama& llama : published_llamas())
    if (llama.name == "llama-7b" || llama.name == "llama-13b" || llama.name == "llama-65b" ||
        llama.name == "llama-3.1-8b")
      drawn.push_back(llama);
  const auto ratio = [&](const PublishedLlama& llama, double tokens) {
    const double loss = surface.at(llama.parameters, llama.tokens);
    const Allocation cheapest = best_for_lifetime(surface, loss, 0);
    return lifetime_operations(surface, llama.parameters, loss, tokens) /
           lifetime_operations(surface, cheapest.parameters, loss, tokens);
  };
  for (size_t i = 0; i < drawn.size(); ++i) {
    std::vector<double> x, y;
    for (int k = 0; k <= 100; ++k) {
      x.push_back(served.low * std::pow(served.high / served.low, k / 100.0));
      y.push_back(ratio(drawn[i], x.back()));
    }
    axes.curve(x, y, fmt::format("line s{}", i));
    heights.push_back(axes.at(x.back(), y.back()).y + 4);
  }
  const std::vector<double> places = spread(heights, 16, 110, 370);
  for (size_t i = 0; i < drawn.size(); ++i) svg.text(572, places[i], drawn[i].name, fmt::format("small n{}", i));
  return svg.finish();
}

}  // namespace cria::figure
