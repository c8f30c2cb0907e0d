// Chapter 12: how Llama 3.1 stretches RoPE's waves, pair by pair.
#include <fmt/format.h>

#include <algorithm>
#include <numbers>

#include "app/figure/axes.hpp"
#include "app/figure/figures.hpp"
#include "app/figure/subject.hpp"

namespace cria::figure {
namespace {

/// Positions in which each pair turns once.
std::vector<double> wavelengths(const LlamaConfig& c, const RopeScaling& scaling) {
  std::vector<double> frequencies(c.head_dim / 2);
  rope_inverse_frequencies(c.rope_theta, frequencies);
  rope_scale_frequencies(scaling, frequencies);
  std::vector<double> out;
  for (const double frequency : frequencies) out.push_back(2 * std::numbers::pi / frequency);
  return out;
}

std::string positions_text(double n) {
  return n < 1e4 ? fmt::format("{:g}", n) : n < 1e6 ? fmt::format("{:g}K", n / 1e3) : fmt::format("{:g}M", n / 1e6);
}

}  // namespace

std::string draw_rope_scaling(const Subject& subject) {
  const bool own = subject.config().rope_scaling.kind == RopeScaling::Kind::llama3;
  LlamaConfig c = subject.config();
  if (!own) {  // Llama 3.1 8B's
    c.head_dim = 128, c.rope_theta = 500000;
    c.rope_scaling = {.kind = RopeScaling::Kind::llama3, .factor = 8};
  }
  const RopeScaling& s = c.rope_scaling;
  const std::vector<double> plain = wavelengths(c, {}), scaled = wavelengths(c, s),
                            linear = wavelengths(c, {.kind = RopeScaling::Kind::linear, .factor = s.factor});
  const double last = double(plain.size() - 1), kept_below = s.original_context / s.high_turns,
               divided_above = s.original_context / s.low_turns;
  std::vector<double> pair, divisors;
  for (size_t i = 0; i < plain.size(); ++i) pair.push_back(double(i)), divisors.push_back(scaled[i] / plain[i]);

  Svg svg(700, 664, "Llama 3.1 stretches the long waves only",
          "Above, in how many positions each pair of channels turns once, before and after the scaling. Waves shorter "
          "than a quarter of the first training's context are kept, longer ones than all of it are stretched, and "
          "between them the two are blended. Below, what each frequency is divided by.");
  svg.text(16, 48,
           fmt::format("{}: {} pairs, theta {:g}, first trained on {:g} positions, factor {:g}.",
                       own ? "This model" : "Llama 3.1 8B", plain.size(), c.rope_theta, s.original_context, s.factor),
           "dim");
  const std::vector<double> ends = {plain.front(), linear.back()};
  Axes waves(svg, {64, 104, 476, 320}, {0, last}, {ends[0], ends[1], Scale::decades});
  // The bands reach half-way to the next pair.
  const auto count = [&](double wavelength) {
    return double(std::ranges::count_if(plain, [&](double p) { return p <= wavelength; })) - 0.5;
  };
  const double bands[] = {0, count(kept_below), count(divided_above), last};
  const char *fills[] = {"f2", "f4", "f1"}, *names[] = {"kept", "blended", "divided"}, *colours[] = {"n2", "n4", "n1"};
  const Box below{64, 510, 476, 110};
  const Axes divided(svg, below, {0, last}, {0, s.factor});
  for (size_t b = 0; b < 3; ++b) {
    const double x = waves.at(bands[b], 1).x, width = waves.at(bands[b + 1], 1).x - x;
    for (const Box& box : {waves.box(), below}) svg.rect({x, box.y, width, box.height}, fills[b], 0.12);
    svg.text(x + width / 2, 120, names[b], fmt::format("strong m {}", colours[b]));
  }
  waves.draw({.title = "", .x = "pair", .y = "positions in which a pair turns once", .y_text = positions_text});
  waves.level(kept_below, "thin dashed s2"), waves.level(divided_above, "thin dashed s1");
  waves.curve(pair, linear, "thin s3");
  waves.curve(pair, plain, "line s0");
  waves.curve(pair, scaled, "line s5");
  const Point middle = waves.at(last / 2, linear[size_t(last / 2)]);
  svg.text(middle.x - 8, middle.y - 10, fmt::format("all divided by {:g}", s.factor), "small e n3");
  const double right = 548;
  std::vector<double> heights;
  for (const double y : {linear.back(), plain.back(), kept_below, divided_above}) heights.push_back(waves.at(0, y).y);
  heights = spread(heights, 17, 108, 424);
  svg.text(right, heights[0], "scaled", "small n5");
  svg.text(right, heights[1], "plain", "small n0");
  svg.text(right, heights[2] + 4, fmt::format("{:g}: {:g} turns", kept_below, s.high_turns), "small n2");
  svg.text(right, heights[3] + 4, fmt::format("{:g}: {:g} turn", divided_above, s.low_turns), "small n1");

  Axes(svg, below, {0, last}, {0, s.factor})
      .draw({.title = "", .x = "pair", .y = "the frequency is divided by", .y_ticks = 4});
  Axes(svg, below, {0, last}, {0, s.factor}).curve(pair, divisors, "line s5");
  svg.text(right, below.y + 10, "GGUF holds these,", "small dim"),
      svg.text(right, below.y + 26, "rope_freqs.weight", "small dim");
  return svg.finish();
}

}  // namespace cria::figure
