// Chapter 06: how the cache of keys and values grows with the context.
#include <fmt/format.h>

#include <algorithm>

#include "app/figure/axes.hpp"
#include "app/figure/figures.hpp"
#include "app/figure/presets.hpp"
#include "app/figure/subject.hpp"

namespace cria::figure {

std::string draw_cache(const Subject& subject) {
  const LlamaConfig& c = subject.config();
  const Preset models[] = {
      {"this model", c.layers, c.heads, c.kv_heads, c.head_dim, c.context}, llama2_7b, llama3_8b, llama2_70b};
  std::vector<double> contexts, sizes;
  double longest = 0, shortest = 512;
  for (const Preset& model : models) {
    longest = std::max(longest, 4 * double(model.context));
    shortest = std::min(shortest, double(model.context));
  }
  for (double context = shortest; context <= longest; context *= 2) contexts.push_back(context);
  for (const Preset& model : models)
    for (const double context : contexts) sizes.push_back(cache_bytes(model, size_t(context), model.kv_heads));

  Scale y = Scale::of(sizes);
  y.kind = Scale::doublings;
  Svg svg(
      700, 470, "The KV cache grows with the context",
      "Bytes of one sequence's cache over its length, for this model and for published ones, on doubling axes. A dot "
      "marks the context that each model was trained for.");
  svg.text(16, 48,
           "2 (k and v) · L · G · Dh · positions, in numbers of 2 bytes. A dot: the context that it was trained for.",
           "dim");
  Axes axes(svg, {76, 96, 440, 316}, {contexts.front(), contexts.back(), Scale::doublings}, y);
  axes.draw({.title = "",
             .x = "positions",
             .y = "bytes of one sequence's cache",
             .x_text = [](double v) { return v < 1024 ? fmt::format("{:g}", v) : fmt::format("{:g}K", v / 1024); },
             .y_text = bytes_text,
             .x_ticks = 8,
             .y_ticks = 12});
  std::vector<double> heights;
  for (size_t i = 0; i < std::size(models); ++i) {
    const std::span<const double> line = std::span(sizes).subspan(i * contexts.size(), contexts.size());
    axes.curve(contexts, line, fmt::format("line s{}", i));
    const Preset& model = models[i];
    svg.circle(axes.at(double(model.context), cache_bytes(model, model.context, model.kv_heads)), 5,
               fmt::format("f{}", i));
    heights.push_back(axes.at(contexts.back(), line.back()).y);
  }
  heights = spread(heights, 34, 110, 400);
  for (size_t i = 0; i < std::size(models); ++i) {
    const Preset& model = models[i];
    svg.text(528, heights[i], model.name, fmt::format("strong n{}", i));
    svg.text(528, heights[i] + 15, fmt::format("{} a position", bytes_text(cache_bytes(model, 1, model.kv_heads))),
             "small dim");
  }
  return svg.finish();
}

}  // namespace cria::figure
