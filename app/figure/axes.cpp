#include "app/figure/axes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace cria::figure {
namespace {

double step_of(const Scale& scale, size_t count) {
  const double rough = (scale.high - scale.low) / double(count), power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= rough * 0.999) return factor * power;
  return 10 * power;
}

std::string plain(double value) { return fmt::format("{:g}", value); }

}  // namespace

std::string percent(double share) { return fmt::format("{:g} %", 100 * share); }

double Scale::place(double value) const {
  const auto scaled = [&](double v) { return kind == linear ? v : std::log2(v); };
  return std::clamp((scaled(value) - scaled(low)) / (scaled(high) - scaled(low)), 0.0, 1.0);
}

std::vector<double> Scale::ticks(size_t count) const {
  std::vector<double> ticks;
  if (kind == linear) {
    const double step = step_of(*this, count);
    for (double i = std::ceil(low / step - 1e-6); i * step <= high + step * 1e-6; ++i)
      ticks.push_back(i == 0 ? 0 : i * step);
  } else if (kind == doublings) {
    const double first = std::ceil(std::log2(low) - 1e-9), last = std::floor(std::log2(high) + 1e-9);
    const double step = std::max(1.0, std::ceil((last - first) / double(count)));
    for (double i = first; i <= last; i += step) ticks.push_back(std::exp2(i));
  } else {
    const bool wide = std::log10(high / low) > 3;
    for (double power = std::pow(10, std::floor(std::log10(low))); power <= high; power *= 10)
      for (const double factor : {1.0, 2.0, 5.0})
        if (const double tick = factor * power; tick >= low * 0.999 && tick <= high * 1.001 && (!wide || factor == 1))
          ticks.push_back(tick);
    if (ticks.size() < 2) return Scale{low, high}.ticks(count);  // within less than a decade
  }
  return ticks;
}

Scale Scale::of(std::span<const double> values, bool zero) {
  Scale scale{INFINITY, -INFINITY};
  for (const double value : values) scale.low = std::min(scale.low, value), scale.high = std::max(scale.high, value);
  if (zero) scale.low = std::min(scale.low, 0.0), scale.high = std::max(scale.high, 0.0);
  if (!(scale.low < scale.high)) scale = {values.empty() ? 0 : scale.low - 1, values.empty() ? 1 : scale.low + 1};
  return scale;
}

Scale Scale::rounded(size_t count) const {
  const double step = step_of(*this, count);
  return {std::floor(low / step + 1e-9) * step, std::ceil(high / step - 1e-9) * step, kind};
}

Point Axes::at(double x, double y) const {
  return {box_.x + box_.width * x_.place(x), box_.bottom() - box_.height * y_.place(y)};
}

void Axes::draw(const Labels& labels) {
  if (!labels.title.empty()) svg_.text(box_.x, box_.y - (labels.y.empty() ? 10 : 26), labels.title, "strong");
  if (!labels.y.empty()) svg_.text(box_.x, box_.y - 9, labels.y, "small dim");
  for (const double tick : y_.ticks(labels.y_ticks)) {
    level(tick, "grid");
    svg_.text(box_.x - 6, at(x_.low, tick).y + 4, (labels.y_text ? labels.y_text : plain)(tick), "small e");
  }
  for (const double tick : x_.ticks(labels.x_ticks)) {
    const double x = at(tick, y_.low).x;
    svg_.line({x, box_.bottom()}, {x, box_.bottom() + 4}, "axis");
    svg_.text(x, box_.bottom() + 17, (labels.x_text ? labels.x_text : plain)(tick), "small m");
  }
  svg_.line({box_.x, box_.bottom()}, {box_.right(), box_.bottom()}, "axis");
  if (!labels.x.empty()) svg_.text(box_.middle_x(), box_.bottom() + 34, labels.x, "small dim m");
}

void Axes::curve(std::span<const double> x, std::span<const double> y, std::string_view classes, double opacity) {
  std::vector<Point> points;
  for (size_t i = 0; i < x.size(); ++i) points.push_back(at(x[i], y[i]));
  svg_.curve(points, classes, opacity);
}

void Axes::level(double y, std::string_view classes) {
  const double height = at(x_.low, y).y;
  svg_.line({box_.x, height}, {box_.right(), height}, classes);
}

std::vector<double> spread(const std::vector<double>& heights, double gap, double low, double high) {
  std::vector<size_t> order(heights.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, {}, [&](size_t i) { return heights[i]; });
  std::vector<double> moved = heights;
  double least = low;
  for (const size_t i : order) moved[i] = std::max(heights[i], least), least = moved[i] + gap;
  double most = high;
  for (auto i = order.rbegin(); i != order.rend(); ++i) moved[*i] = std::min(moved[*i], most), most = moved[*i] - gap;
  return moved;
}

}  // namespace cria::figure
