// Chapter 05: the four steps of attention for one head, as the matrices that they are, with the model's own numbers.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "app/figure/figures.hpp"
#include "app/figure/subject.hpp"
#include "app/figure/svg.hpp"
#include "lib/simd/primitives.hpp"

namespace cria::figure {
namespace {

using Entry = std::function<double(size_t, size_t)>;

struct ScoreMatrix {
  std::string name, shape;
  size_t rows, columns;
  double cell_width, cell_height;
  Entry value;
  std::function<std::string(size_t, size_t)> text = nullptr;  // what a cell says

  double width() const { return double(columns) * cell_width; }
};

/// Coloured by its numbers, the largest at half of the full colour, so that text on it is legible.
void draw(Svg& svg, const ScoreMatrix& m, Point at, size_t framed_row) {
  const Box box{at.x, at.y, m.width(), double(m.rows) * m.cell_height};
  double largest = 0;
  for (size_t i = 0; i < m.rows; ++i)
    for (size_t j = 0; j < m.columns; ++j) largest = std::max(largest, std::abs(m.value(i, j)));
  if (largest > 0)
    svg.heat_map(box, m.rows, m.columns, [&](size_t i, size_t j) { return m.value(i, j) / largest / 2; });
  for (size_t i = 0; m.text && i < m.rows; ++i)
    for (size_t j = 0; j < m.columns; ++j)
      svg.text(box.x + (double(j) + 0.5) * m.cell_width, box.y + (double(i) + 0.5) * m.cell_height + 4, m.text(i, j),
               "tiny m");
  svg.rect(box, "axis");
  const double top = box.y + double(framed_row) * m.cell_height, bottom = top + m.cell_height;
  if (framed_row < m.rows)
    svg.curve(
        std::vector<Point>{{box.x, top}, {box.right(), top}, {box.right(), bottom}, {box.x, bottom}, {box.x, top}},
        "line ink");
  svg.text(box.x, box.y - 9, m.name, "small strong");
  svg.text(box.right(), box.y - 9, m.shape, "small dim e");
}

}  // namespace

std::string draw_attention_steps(const Subject& subject) {
  const size_t T = subject.first(6);
  if (T < 2) throw NothingToShow("it is about looking back, and this text has one token");
  const LlamaConfig& c = subject.config();
  const size_t D = c.head_dim, layer = c.layers / 2, framed = T - 2, none = SIZE_MAX;
  const LayerActivations& a = subject.activations.layer(layer);

  const Entry score = [&](size_t t, size_t s) {
    return double(simd::dot(&a.query(t, 0), &a.key(s, 0), D)) / std::sqrt(double(D));
  };
  const Entry seen_score = [&](size_t t, size_t s) { return s > t ? 0 : score(t, s); };
  const Entry weight = [&](size_t t, size_t s) {
    return s > t ? 0 : std::exp(score(t, s) - double(a.log_sum_exp(t, 0)));
  };
  const auto decimals = [](const Entry& value, int digits, bool masked) {
    const double unit = std::pow(10, digits);
    return [=](size_t t, size_t s) {  // + 0.0, as -0.0 would be printed with its sign
      return masked && s > t ? std::string("·")
                             : fmt::format("{:.{}f}", std::round(value(t, s) * unit) / unit + 0.0, digits);
    };
  };
  // A head's channels take as many pixels as the rows do, however many they are.
  constexpr double row = 22, key = 33, left = 96, gap = 26;
  const double channel = row * double(T) / double(D), pitch = row * double(T) + 76;
  const ScoreMatrix q{"Q", "(T, Dh)", T, D, channel, row, [&](size_t t, size_t d) { return double(a.query(t, d)); }};
  const ScoreMatrix k{"Kᵀ", "(Dh, S)", D, T, key, channel, [&](size_t d, size_t s) { return double(a.key(s, d)); }};
  const ScoreMatrix v{"V", "(S, Dh)", T, D, channel, row, [&](size_t s, size_t d) { return double(a.value(s, d)); }};
  const ScoreMatrix out{
      "out", "(T, Dh)", T, D, channel, row, [&](size_t t, size_t d) { return double(a.attended(t, d)); }};
  const ScoreMatrix scores{"scores", "(T, S)", T, T, key, row, score, decimals(score, 1, false)};
  const ScoreMatrix masked{"masked", "(T, S)", T, T, key, row, seen_score, decimals(score, 1, true)};
  const ScoreMatrix weights{"P", "(T, S)", T, T, key, row, weight, decimals(weight, 2, true)};

  Svg svg(700, 54 + 3 * pitch, "Attention in four steps: scores, mask, softmax, sum",
          "Queries times keys are scores; what a query may not see is taken out; the softmax makes weights of a row; "
          "weights times values are the output. One query's row is framed in each matrix.");
  svg.text(
      16, 48,
      fmt::format("Head 0 of layer {}, the first {} tokens of the text, heads of width {}. Framed: one query's way.",
                  layer, T, D),
      "dim");
  double y = 110;
  const auto labels = [&] {
    for (size_t t = 0; t < T; ++t)
      svg.text(left - 8, y + row * (double(t) + 0.5) + 4, subject.label(subject.tokens[t], 11), "tiny mono e");
  };
  const auto sign = [&](double x, const char* text) { svg.text(x + gap / 2, y + row * double(T) / 2 + 5, text, "m"); };

  svg.text(16, y - 30, "1. Scores: each query meets each key. Divided by √Dh.", "strong");
  labels();
  double x = left;
  draw(svg, q, {x, y}, framed), sign(x += q.width(), "×"), x += gap;
  draw(svg, k, {x, y}, none), sign(x += k.width(), "="), x += gap;
  draw(svg, scores, {x, y}, framed);

  y += pitch;
  svg.text(16, y - 30, "2. Mask: no query sees a later key.", "strong");
  labels();
  constexpr double arrow = 120;
  draw(svg, masked, {left, y}, framed);
  const double middle = y + row * double(T) / 2;
  svg.arrow({left + masked.width() + 16, middle}, {left + masked.width() + arrow - 16, middle}, "line axis");
  svg.text(left + masked.width() + arrow / 2, middle - 10, "softmax", "small dim m");
  svg.text(left + masked.width() + arrow, y - 30, "3. Softmax: each row sums to 1.", "strong");
  draw(svg, weights, {left + masked.width() + arrow, y}, framed);

  y += pitch;
  svg.text(16, y - 30, "4. Sum: the values, each times its weight.", "strong");
  labels();
  x = left;
  draw(svg, weights, {x, y}, framed), sign(x += weights.width(), "×"), x += gap;
  draw(svg, v, {x, y}, none), sign(x += v.width(), "="), x += gap;
  draw(svg, out, {x, y}, framed);
  return svg.finish();
}

}  // namespace cria::figure
