// Chapter 13: 32 of the model's weights in a block of Q4_0: its bytes, its levels, and the error of other scales.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "app/figure/axes.hpp"
#include "app/figure/figures.hpp"
#include "app/figure/subject.hpp"
#include "chapters/13-quantisation/quantise_rows.hpp"
#include "chapters/13-quantisation/scale_search.hpp"
#include "lib/formats/blocks.hpp"

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

}  // namespace

std::string draw_rounding(const Subject& subject) {
  const View<const real, 2> weight = subject.model.weights.tensors().layers[0].query;
  if (weight.shape(1) < numbers) throw NothingToShow("this model's rows have fewer than 32 numbers");
  std::string bytes;
  ThreadPool pool(1);
  quantise_rows(pool, ElementType::q4_0, numbers, weight[0].span().first(numbers), {}, bytes);
  BlockQ4_0 block;
  std::memcpy(&block, bytes.data(), sizeof block);
  float back[numbers], x[numbers], w[numbers];
  decode(block, back);
  std::ranges::copy(weight[0].span().first(numbers), x);
  double squares = 0;
  for (const float value : x) squares += double(value) * value;
  const float rms = float(std::sqrt(squares / double(numbers)));
  std::ranges::transform(x, w, [rms](float value) { return rms + std::abs(value); });
  const float scale = half_to_float(block.scale);
  const float extreme = *std::ranges::max_element(x, {}, [](float value) { return std::abs(value); });
  const float plain = extreme / float(levels.front());

  Svg svg(
      700, 700, "32 weights in 18 bytes",
      "Above, the bytes of a block of Q4_0: the scale, and sixteen bytes of two codes each. In the middle, the numbers "
      "and the levels that they are rounded to. Below, the error of the block over the scale.");
  svg.text(16, 48, "The first 32 numbers of the first layer's query weight, as a block of Q4_0.", "dim");
  draw_bytes(svg, {44, 84, 612, 62}, block);

  const float ends[] = {scale * float(levels.front()), scale * float(levels.back())};
  std::vector<double> all(x, x + numbers);
  all.insert(all.end(), ends, ends + 2);
  Axes values(svg, {64, 214, 560, 220}, {-1, double(numbers)}, Scale::of(all));
  for (int q = levels.front(); q <= levels.back(); ++q) {
    values.level(scale * float(q), "grid");
    svg.text(632, values.at(0, scale * float(q)).y + 4, fmt::format("{}", q), "tiny dim");
  }
  svg.text(64, 200, "weight", "small dim");
  svg.text(632, 200, "level", "small dim");
  for (const double end : {ends[0], ends[1]})
    svg.text(58, values.at(0, end).y + 4, fmt::format("{:.3f}", end), "small e");
  for (size_t i = 0; i < numbers; ++i) {
    const Point from = values.at(double(i), x[i]), to = values.at(double(i), back[i]);
    svg.line(from, to, "line s1");
    svg.line({to.x - 5, to.y}, {to.x + 5, to.y}, "line s1");
    svg.circle(from, 3.5, i < numbers / 2 ? "f0" : "f5");
  }
  svg.text(344, 452, "dots: the weights; dashes: the level of each one's code", "small dim m");

  const auto error = [&](float d) { return std::sqrt(weighted_error(x, w, {d, 0}, levels)); };
  const double at_plain = error(plain), at_found = error(scale);
  std::vector<double> share, errors;
  for (double s = 0.7; s <= 1.3; s += 0.001) share.push_back(s), errors.push_back(error(float(s) * plain) / at_plain);
  const double found = scale / plain;
  Axes search(svg, {64, 506, 560, 142}, {0.7, 1.3}, Scale::of(errors).rounded(4));
  search.draw({.title = "",
               .x = "scale, over the plain one",
               .y = "error, over that of the plain scale",
               .x_ticks = 6,
               .y_ticks = 4});
  search.curve(share, errors, "line s2");
  svg.circle(search.at(1, 1), 5, "f1");
  svg.text(search.at(1, 1).x + 9, search.at(1, 1).y - 8, "plain", "small n1");
  if (found > 0.7 && found < 1.3) {  // of another sign where the other end of the levels suits better
    svg.circle(search.at(found, at_found / at_plain), 5, "f0");
    svg.text(search.at(found, 0).x, search.at(found, at_found / at_plain).y + 20,
             fmt::format("found: {:.2f} of the error", at_found / at_plain), "small m n0");
  }
  return svg.finish();
}

}  // namespace cria::figure
