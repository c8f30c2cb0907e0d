#include "app/figure/svg.hpp"

#include <fmt/format.h>
#include <utf8proc.h>

#include <cmath>
#include <map>

namespace cria::figure {
namespace {

// The series' colours are told apart on either ground, and by the colour-blind (Okabe & Ito 2008).
constexpr const char* style = R"(<style>
text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
.title { font-size: 16px; font-weight: 600 }
.small { font-size: 12px } .tiny { font-size: 11px }
.strong { font-weight: 600 }
.mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace }
.m { text-anchor: middle } .e { text-anchor: end }
.dim { fill: #59636e }
.ink { stroke: #1f2328 }
.page { fill: #ffffff }
.box { fill: #f6f8fa; stroke: #818b98 }
.axis { stroke: #818b98; fill: none } .grid { stroke: #818b98; stroke-opacity: .3 }
.line { stroke-width: 2; fill: none; stroke-linejoin: round } .thin { stroke-width: 1.2; fill: none }
.dot { stroke-width: 2.6; stroke-linecap: round }
.dashed { stroke-dasharray: 5 4 }
.s0 { stroke: #0072b2 } .s1 { stroke: #d55e00 } .s2 { stroke: #00805c }
.s3 { stroke: #b0578d } .s4 { stroke: #8a6d00 } .s5 { stroke: #6e50c8 }
.f0, .n0 { fill: #0072b2 } .f1, .n1 { fill: #d55e00 } .f2, .n2 { fill: #00805c }
.f3, .n3 { fill: #b0578d } .f4, .n4 { fill: #8a6d00 } .f5, .n5 { fill: #6e50c8 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.dim { fill: #9198a1 }
.ink { stroke: #e6edf3 }
.page { fill: #0d1117 }
.box { fill: #161b22; stroke: #6e7681 }
.axis, .grid { stroke: #6e7681 }
.s0 { stroke: #56b4e9 } .s1 { stroke: #ee8a3c } .s2 { stroke: #2fc89b }
.s3 { stroke: #e79cc8 } .s4 { stroke: #e3c84b } .s5 { stroke: #b39dff }
.f0, .n0 { fill: #56b4e9 } .f1, .n1 { fill: #ee8a3c } .f2, .n2 { fill: #2fc89b }
.f3, .n3 { fill: #e79cc8 } .f4, .n4 { fill: #e3c84b } .f5, .n5 { fill: #b39dff }
}
</style>
)";

std::string escaped(std::string_view text) {
  std::string xml;
  for (const char c : text) switch (c) {
      case '&':
        xml += "&amp;";
        break;
      case '<':
        xml += "&lt;";
        break;
      case '>':
        xml += "&gt;";
        break;
      case '"':
        xml += "&quot;";
        break;
      default:
        xml += c;
    }
  return xml;
}

/// One decimal is a tenth of a pixel; -0.0 would differ from 0.0 for nothing.
std::string number(double value) {
  const std::string text = fmt::format("{:.1f}", value);
  return text == "-0.0" ? "0.0" : text;
}

std::string points_text(std::span<const Point> points) {
  std::string text;
  for (const Point& p : points) text += fmt::format("{}{},{}", text.empty() ? "" : " ", number(p.x), number(p.y));
  return text;
}

double columns_of(std::string_view text) {
  double columns = 0;
  const auto* at = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  for (auto left = static_cast<utf8proc_ssize_t>(text.size()); left > 0;) {
    utf8proc_int32_t code = 0;
    const utf8proc_ssize_t length = std::max<utf8proc_ssize_t>(1, utf8proc_iterate(at, left, &code));
    columns += code < 0 ? 1 : utf8proc_charwidth(code);
    at += length, left -= length;
  }
  return columns;
}

}  // namespace

Svg::Svg(double width, double height, std::string_view title, std::string_view shows) : width_(width), height_(height) {
  head_ = fmt::format("<title>{}</title>\n<desc>{}</desc>\n", escaped(title), escaped(shows));
  rect({0, 0, width, height}, "page", 1, 6);
  text(16, 26, title, "title");
}

void Svg::text(double x, double y, std::string_view text, std::string_view classes) {
  const std::string kind = classes.empty() ? "" : fmt::format(" class=\"{}\"", classes);
  body_ += fmt::format("<text x=\"{}\" y=\"{}\"{}>{}</text>\n", number(x), number(y), kind, escaped(text));
}

void Svg::text_upwards(double x, double y, std::string_view text, std::string_view classes) {
  body_ += fmt::format("<text transform=\"translate({} {}) rotate(-90)\" class=\"e {}\">{}</text>\n", number(x),
                       number(y), classes, escaped(text));
}

void Svg::shape(std::string_view element, std::string_view classes, double opacity) {
  const std::string faint = opacity < 1 ? fmt::format(" opacity=\"{:.2f}\"", opacity) : "";
  body_ += fmt::format("<{} class=\"{}\"{}/>\n", element, classes, faint);
}

void Svg::rect(const Box& b, std::string_view classes, double opacity, double radius) {
  const std::string round = radius > 0 ? fmt::format(" rx=\"{}\"", number(radius)) : "";
  shape(fmt::format("rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"{}", number(b.x), number(b.y), number(b.width),
                    number(b.height), round),
        classes, opacity);
}

void Svg::line(Point from, Point to, std::string_view classes) {
  shape(fmt::format("path d=\"M{} {}L{} {}\"", number(from.x), number(from.y), number(to.x), number(to.y)), classes, 1);
}

void Svg::arrow(Point from, Point to, std::string_view classes, double opacity) {
  const double dx = to.x - from.x, dy = to.y - from.y, length = std::hypot(dx, dy);
  std::string path = fmt::format("path d=\"M{} {}L{} {}", number(from.x), number(from.y), number(to.x), number(to.y));
  if (length > 1)
    for (const double side : {-0.5, 0.5})
      path += fmt::format("M{} {}L{} {}", number(to.x), number(to.y), number(to.x - 7 * (dx - side * dy) / length),
                          number(to.y - 7 * (dy + side * dx) / length));
  shape(path + "\"", classes, opacity);
}

void Svg::curve(std::span<const Point> points, std::string_view classes, double opacity) {
  shape(fmt::format("polyline points=\"{}\"", points_text(points)), classes, opacity);
}

void Svg::polygon(std::span<const Point> points, std::string_view classes, double opacity) {
  shape(fmt::format("polygon points=\"{}\"", points_text(points)), classes, opacity);
}

void Svg::circle(Point centre, double radius, std::string_view classes, double opacity) {
  shape(fmt::format("circle cx=\"{}\" cy=\"{}\" r=\"{}\"", number(centre.x), number(centre.y), number(radius)), classes,
        opacity);
}

void Svg::dots(std::span<const Point> points, std::string_view classes, double opacity) {
  std::string path;  // a line without length and with round ends is a dot
  for (const Point& p : points) path += fmt::format("M{} {}h0", number(p.x), number(p.y));
  shape(fmt::format("path d=\"{}\"", path), classes, opacity);
}

void Svg::heat_map(const Box& box, size_t rows, size_t columns, const std::function<double(size_t, size_t)>& value) {
  constexpr double shades = 24;
  // An edge has one place, whichever cell it belongs to; otherwise rounding leaves gaps between cells.
  const auto edge = [](double from, double length, size_t i, size_t n) {
    return std::round(100 * (from + length * double(i) / double(n))) / 100;
  };
  std::map<int, std::string> paths;  // of each shade
  for (size_t i = 0; i < rows; ++i)
    for (size_t begin = 0, end; begin < columns; begin = end) {
      const auto shade = [&](size_t j) { return int(std::lround(shades * std::clamp(value(i, j), -1.0, 1.0))); };
      const int level = shade(begin);
      for (end = begin + 1; end < columns && shade(end) == level;) ++end;
      if (level == 0) continue;
      const double left = edge(box.x, box.width, begin, columns), right = edge(box.x, box.width, end, columns);
      const double top = edge(box.y, box.height, i, rows), bottom = edge(box.y, box.height, i + 1, rows);
      paths[level] += fmt::format("M{:.2f} {:.2f}H{:.2f}V{:.2f}H{:.2f}z", left, top, right, bottom, left);
    }
  for (const auto& [level, path] : paths)
    shape(fmt::format("path shape-rendering=\"crispEdges\" d=\"{}\"", path), level > 0 ? "f0" : "f1",
          std::abs(level) / shades);
}

std::string Svg::finish() const {
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" "
             "height=\"{1:.0f}\">\n",
             width_, height_) +
         head_ + style + body_ + "</svg>\n";
}

double text_width(std::string_view text, double size) { return 0.57 * size * columns_of(text); }
double mono_width(std::string_view text, double size) { return 0.605 * size * columns_of(text); }

std::string printable(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    utf8proc_int32_t code = -1;
    const utf8proc_ssize_t length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(bytes.data()),
                                                     static_cast<utf8proc_ssize_t>(bytes.size()), &code);
    const bool shown = length > 0 && utf8proc_category(code) != UTF8PROC_CATEGORY_CC && (code & 0xFFFE) != 0xFFFE;
    if (code == '\n')
      text += "⏎";
    else if (shown)
      text += bytes.substr(0, size_t(length));
    else
      for (size_t i = 0; i < size_t(std::max<utf8proc_ssize_t>(length, 1)); ++i)
        text += fmt::format("\\x{:02X}", static_cast<unsigned char>(bytes[i]));
    bytes.remove_prefix(size_t(std::max<utf8proc_ssize_t>(length, 1)));
  }
  return text;
}

std::string shortened(std::string_view text, size_t columns) {
  if (columns_of(text) <= double(columns)) return std::string(text);
  const auto inside_character = [](char c) { return (c & 0xC0) == 0x80; };
  while (columns_of(text) > double(columns) - 1) {
    while (inside_character(text.back())) text.remove_suffix(1);
    text.remove_suffix(1);
  }
  return std::string(text) + "…";
}

std::string bytes_text(double bytes) {
  const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  for (; bytes >= 1024 && unit < 4; ++unit) bytes /= 1024;
  return fmt::format("{:.3g} {}", bytes, units[unit]);
}

}  // namespace cria::figure
