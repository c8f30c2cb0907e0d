#include "app/bench/plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lib/base/file.hpp"

namespace cria::bench {
namespace {

constexpr double width = 420, height = 270, left_margin = 56, right_margin = 16, top = 40, bottom = 44;
constexpr double inner_width = width - left_margin - right_margin, inner_height = height - top - bottom;
constexpr size_t most_dots = 20;  // more points than that are a line without dots

// Colours that are told apart on either ground, and by the colour-blind (Okabe & Ito 2008).
constexpr const char* style = R"(<style>
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 13px }
  .grid { stroke: #8886; stroke-width: 1 }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round }
  .dashed { stroke-dasharray: 5 4; stroke-width: 1.5 }
  .c0 { stroke: #0072b2 } .c1 { stroke: #d55e00 } .n0 { fill: #0072b2 } .n1 { fill: #d55e00 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .c0 { stroke: #56b4e9 } .c1 { stroke: #e69f00 } .n0 { fill: #56b4e9 } .n1 { fill: #e69f00 }
  }
</style>
)";

/// 1, 2 or 5 times a power of ten: up to five of them up to `largest`.
double tick_step(double largest) {
  const double rough = largest / 5, power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= rough) return factor * power;
  return 10 * power;
}

struct Axes {
  explicit Axes(const Panel& panel) {
    for (const Series& series : panel.series)
      for (const Point& p : series.points) {
        largest_x = std::max(largest_x, p.x);
        largest_y = std::max(largest_y, p.y);
      }
    x_step = tick_step(largest_x), y_step = tick_step(largest_y);
    largest_y = std::ceil(largest_y / y_step) * y_step;
  }
  double at_x(double x) const { return left_margin + inner_width * x / largest_x; }
  double at_y(double y) const { return top + inner_height * (1 - y / largest_y); }

  double largest_x = 0, largest_y = 0, x_step, y_step;
};

std::string label(double x, double y, const char* anchor, const std::string& text, const char* kind = "") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>\n", x, y, anchor, kind, text);
}

std::string draw(const Panel& panel) {
  const Axes axes(panel);
  std::string svg = label(left_margin, 18, "start", panel.title, " class=\"title\"");
  svg += label(left_margin, 33, "start", panel.y_label);
  svg += label(left_margin + inner_width / 2, height - 8, "middle", panel.x_label);
  for (double y = 0; y <= axes.largest_y * 1.0001; y += axes.y_step) {
    svg += fmt::format("<path class=\"grid\" d=\"M{:.1f} {:.1f}h{:.1f}\"/>\n", left_margin, axes.at_y(y), inner_width);
    svg += label(left_margin - 6, axes.at_y(y) + 4, "end", fmt::format("{:g}", y));
  }
  for (double x = 0; x <= axes.largest_x; x += axes.x_step)
    svg += label(axes.at_x(x), top + inner_height + 16, "middle", fmt::format("{:g}", x));
  for (size_t i = 0; i < panel.series.size(); ++i) {
    std::string path;
    for (const Point& p : panel.series[i].points)
      path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", axes.at_x(p.x), axes.at_y(p.y));
    const Series& series = panel.series[i];
    svg += fmt::format("<path class=\"line c{}{}\" d=\"{}\"/>\n", i, series.dashed ? " dashed" : "", path);
    if (series.points.size() <= most_dots && !series.dashed)
      for (const Point& p : series.points)
        svg += fmt::format("<circle class=\"n{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\"/>\n", i, axes.at_x(p.x),
                           axes.at_y(p.y));
    if (panel.series.size() > 1) {
      const Point& last = series.points.back();
      const std::string kind = fmt::format(" class=\"n{}\" style=\"font-weight:600\"", i);
      // What it is held against lies below.
      svg += label(axes.at_x(last.x) - 8, axes.at_y(last.y) + (series.dashed ? 20 : -10), "end", series.name,
                   kind.c_str());
    }
  }
  return svg;
}

}  // namespace

void write_plot(const std::filesystem::path& file, std::span<const Panel> panels) {
  const size_t in_a_row = std::min<size_t>(2, panels.size()), rows = (panels.size() + 1) / 2;
  std::string svg =
      fmt::format("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\">\n",
                  width * double(in_a_row), height * double(rows));
  svg += style;
  for (size_t i = 0; i < panels.size(); ++i)
    svg += fmt::format("<g transform=\"translate({} {})\">\n{}</g>\n", width * double(i % 2), height * double(i / 2),
                       draw(panels[i]));
  write_file_atomically(file, svg + "</svg>\n");
}

}  // namespace cria::bench
