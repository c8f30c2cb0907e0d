// Chapter 07: SwiGLU's surface with the model's own gates on it, and SiLU with its derivative.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/figure/axes.hpp"
#include "app/figure/figures.hpp"
#include "app/figure/subject.hpp"
#include "chapters/07-swiglu/swiglu.hpp"

namespace cria::figure {
namespace {

using Row = std::vector<real>;

View<real, 2> as_row(Row& row) { return {row.data(), {1, row.size()}}; }

Row swiglu(Row gate, Row up) {
  Row out(gate.size());
  swiglu_forward(as_row(gate), as_row(up), as_row(out));
  return out;
}

/// silu'(gate): what backward gives for up = 1 and d_out = 1.
Row silu_derivative(Row gate) {
  Row ones(gate.size(), 1), d_gate(gate.size()), d_up(gate.size());
  swiglu_backward(as_row(ones), as_row(gate), as_row(ones), as_row(d_gate), as_row(d_up));
  return d_gate;
}

std::vector<double> wide(const Row& row) { return {row.begin(), row.end()}; }

/// From the smallest to the largest value but for one in a thousand at either end: a few units stand far out.
Scale range_of(Row values) {
  std::ranges::sort(values);
  const size_t out = values.size() / 1000;
  return Scale::of(std::vector<double>{values[out], values[values.size() - 1 - out]}, true);
}

/// From one value to another in n steps, at the middle of each.
Row cells(const Scale& scale, size_t n) {
  Row row(n);
  for (size_t i = 0; i < n; ++i) row[i] = real(scale.low + (scale.high - scale.low) * (double(i) + 0.5) / double(n));
  return row;
}

}  // namespace

std::string draw_swiglu(const Subject& subject) {
  const size_t layer = subject.config().layers / 2, F = subject.config().hidden_dim;
  const LayerActivations& a = subject.activations.layer(layer);
  const Row gate(a.gate.span().begin(), a.gate.span().end()), up(a.up.span().begin(), a.up.span().end());
  const Scale x = range_of(gate), y = range_of(up);

  constexpr size_t columns = 60, rows = 60;
  const Row gates = cells(x, columns), ups = cells(y, rows);
  std::vector<Row> surface;  // row 0 at the top: the largest up
  double most = 0;
  for (size_t i = rows; i-- > 0;) {
    surface.push_back(swiglu(gates, Row(columns, ups[i])));
    for (const real value : surface.back()) most = std::max(most, std::abs(double(value)));
  }
  Svg svg(700, 440, "SwiGLU: silu(gate) · up",
          "Left, the surface, with a point for each hidden unit of each token. Right, SiLU and its derivative.");
  svg.text(
      16, 48,
      fmt::format("Points: gates and ups of layer {}, {} tokens by {} units. A gate below 0 nearly closes the unit.",
                  layer, subject.tokens.size(), F),
      "dim");
  Axes plane(svg, {52, 104, 290, 270}, x, y);
  svg.heat_map(plane.box(), rows, columns, [&](size_t i, size_t j) {
    const double value = double(surface[i][j]) / most;
    return std::copysign(std::sqrt(std::abs(value)), value);  // the root shows the flat part as well
  });
  plane.draw({.title = "blue: above 0, orange: below 0", .x = "gate", .y = "up"});
  std::vector<Point> points;
  constexpr size_t most_points = 1500;
  const size_t stride = std::max<size_t>(1, gate.size() / most_points);
  const auto inside = [](const Scale& scale, real value) { return value >= scale.low && value <= scale.high; };
  for (size_t i = 0; i < gate.size(); i += stride)
    if (inside(x, gate[i]) && inside(y, up[i])) points.push_back(plane.at(gate[i], up[i]));
  svg.dots(points, "dot ink", 0.5);

  const Row line = cells(x, 200), silu = swiglu(line, Row(line.size(), 1)), slope = silu_derivative(line);
  std::vector<double> values = wide(silu);
  for (const real value : slope) values.push_back(value);
  Axes curves(svg, {404, 104, 280, 270}, x, Scale::of(values, true));
  curves.draw({.title = "silu(gate) and its slope", .x = "gate", .y = ""});
  curves.curve(wide(line), wide(silu), "line s0");
  curves.curve(wide(line), wide(slope), "line s1");
  svg.text(416, 120, "silu(gate) = gate / (1 + e^-gate)", "small n0");
  svg.text(416, 138, "silu'(gate), for backward", "small n1");

  // How much of the model's own gates stand where silu is nearly 0.
  const auto closed = std::ranges::count_if(gate, [](real g) { return g < 0; });
  svg.text(16, 426,
           fmt::format("{:.0f} % of these gates are below 0. The outermost 0.2 % of the values are left out.",
                       100.0 * double(closed) / double(gate.size())),
           "small dim");
  return svg.finish();
}

}  // namespace cria::figure
