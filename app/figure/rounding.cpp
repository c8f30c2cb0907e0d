// Chapter 13: 32 of the model's weights in a block of Q4_0: its bytes, its levels, and the error of other scales.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "app/figure/axes.hpp"
#include "app/figure/figures.hpp"
#include "app/figure/subject.hpp"
#include "chapters/13-quantisation/error_weights.hpp"
#include "chapters/13-quantisation/quantise_blocks.hpp"
#include "chapters/13-quantisation/scale_search.hpp"
#include "lib/formats/element_type.hpp"

namespace cria::figure {
namespace {

constexpr size_t numbers = BlockQ4_0::numbers;
const Levels levels(-8, 7);

/// The 18 bytes: the scale, and two codes in each of the others.
void draw_bytes(Svg& svg, const Box& box, const BlockQ4_0& block) {
  const double width = box.width / 18, half = box.height / 2;
  svg.rect({box.x, box.y, 2 * width, box.height}, "f4", 0.25);
  svg.text(box.x + width, box.middle_y() - 3, "d, as F16", "small m");
  svg.text(box.x + width, box.middle_y() + 13, fmt::format("{:.5f}", half_to_float(block.scale)), "tiny m");
  for (size_t j = 0; j < numbers / 2; ++j) {
    const double x = box.x + width * double(j + 2);
    svg.rect({x + 1, box.y, width - 2, half - 1}, "f0", 0.25);
    svg.rect({x + 1, box.y + half + 1, width - 2, half - 1}, "f5", 0.25);
    svg.text(x + width / 2, box.y - 6, fmt::format("{}", j), "tiny dim m");
    svg.text(x + width / 2, box.y + half / 2 + 4, fmt::format("{}", block.codes[j] & 15), "small m");
    svg.text(x + width / 2, box.y + half + half / 2 + 5, fmt::format("{}", block.codes[j] >> 4), "small m");
    svg.text(x + width / 2, box.bottom() + 14, fmt::format("{}", j + numbers / 2), "tiny dim m");
  }
}

constexpr double least_scale = 0.75, most_scale = 1.25;  // over the plain one, in the lowest picture

struct Rounded {
  size_t row, column;
  float x[numbers], back[numbers], w[numbers];  // the weights, what their codes stand for, how much errors matter
  BlockQ4_0 block;
  float scale, plain;

  Rounded(size_t its_row, size_t its_column, std::span<const real> weights) : row(its_row), column(its_column) {
    std::ranges::copy(weights, x);
    weigh_errors(x, {}, w);
    quantise(x, w, block);
    decode(block, back);
    scale = half_to_float(block.scale);
    plain = *std::ranges::max_element(x, {}, [](float value) { return std::abs(value); }) / float(levels.front());
  }

  double error(float d) const { return std::sqrt(weighted_error(x, w, {d, 0}, levels)); }
  double found() const { return scale / plain; }
  double gain() const { return error(plain) / error(scale); }
};

/// Of the blocks whose scale is near enough to the plain one to be drawn, that in which the search gains most.
Rounded choose_block(const View<const real, 2>& weight) {
  std::optional<Rounded> best;
  for (size_t row = 0; row < weight.shape(0); ++row)
    for (size_t at = 0; at + numbers <= weight.shape(1); at += numbers) {
      const Rounded one(row, at, weight[row].span().subspan(at, numbers));
      if (one.found() > least_scale && one.found() < most_scale && (!best || one.gain() > best->gain())) best = one;
    }
  if (!best) throw NothingToShow("there is no block of 32 weights in this model for which a search finds a scale");
  return *best;
}

void draw_levels(Svg& svg, const Box& box, const Rounded& b) {
  const double first = b.scale * levels.front(), last = b.scale * levels.back();
  std::vector<double> all(b.x, b.x + numbers);
  all.push_back(first), all.push_back(last);
  Axes axes(svg, box, {-1, double(numbers)}, Scale::of(all));
  for (int q = levels.front(); q <= levels.back(); ++q) {
    axes.level(b.scale * float(q), "grid");
    svg.text(box.right() + 8, axes.at(0, b.scale * float(q)).y + 4, fmt::format("{}", q), "tiny dim");
  }
  svg.text(box.x, box.y - 14, "weight", "small dim");
  svg.text(box.right() + 8, box.y - 14, "level", "small dim");
  for (const double end : {first, last})
    svg.text(box.x - 6, axes.at(0, end).y + 4, fmt::format("{:.3f}", end), "small e");
  for (size_t i = 0; i < numbers; ++i) {
    const Point from = axes.at(double(i), b.x[i]), to = axes.at(double(i), b.back[i]);
    svg.line(from, to, "line s1");
    svg.line({to.x - 5, to.y}, {to.x + 5, to.y}, "line s1");
    svg.circle(from, 3.5, i < numbers / 2 ? "f0" : "f5");
  }
  svg.text(box.middle_x(), box.bottom() + 18, "dots: the weights; dashes: the level of each one's code", "small dim m");
}

void draw_errors(Svg& svg, const Box& box, const Rounded& b) {
  const double plain = b.error(b.plain), least = b.error(b.scale) / plain;
  std::vector<double> share, errors;
  for (double s = least_scale; s <= most_scale; s += 0.001)
    share.push_back(s), errors.push_back(b.error(float(s) * b.plain) / plain);
  Axes axes(svg, box, {least_scale, most_scale}, Scale::of(errors, true).rounded(4));
  axes.draw({.title = "", .x = "scale, over the plain one", .y = "error, over that of the plain scale", .y_ticks = 4});
  axes.curve(share, errors, "line s2");
  svg.circle(axes.at(1, 1), 5, "f1");
  svg.text(axes.at(1, 1).x, axes.at(1, 1).y - 10, "plain", "small m n1");
  const Point found = axes.at(b.found(), least);
  svg.circle(found, 5, "f0");
  svg.text(found.x, found.y + 20, fmt::format("found: {:.2f} of the error", least), "small m n0");
}

}  // namespace

std::string draw_rounding(const Subject& subject) {
  const Rounded b = choose_block(subject.model.weights.tensors().layers[0].query);
  Svg svg(700, 700, "32 weights in 18 bytes",
          "Above, the bytes of a block of Q4_0: the scale, and sixteen bytes of two codes each. In the middle, the "
          "numbers and the levels that they are rounded to. Below, the error of the block over the scale.");
  svg.text(16, 48,
           fmt::format("Row {} of the first layer's query weight, numbers {} to {}: where the search gains most.",
                       b.row, b.column, b.column + numbers - 1),
           "dim");
  draw_bytes(svg, {44, 84, 612, 62}, b.block);
  draw_levels(svg, {64, 214, 560, 220}, b);
  draw_errors(svg, {64, 506, 560, 142}, b);
  return svg.finish();
}

}  // namespace cria::figure
