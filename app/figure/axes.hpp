// Axes: a plot's frame inside a drawing, with ticks, and the place in it of every value. Ranges are the caller's, and
// come from data.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "app/figure/svg.hpp"

namespace cria::figure {

/// For axes of shares: 0.25 is "25 %".
std::string percent(double share);

struct Scale {
  enum Kind { linear, decades, doublings };
  double low, high;
  Kind kind = linear;

  /// 0 at low, 1 at high; values outside are drawn at the border.
  double place(double value) const;
  /// About `count` round values from low to high.
  std::vector<double> ticks(size_t count) const;

  /// The smallest scale that holds all values, and 0 where `zero` says so. Never empty.
  static Scale of(std::span<const double> values, bool zero = false);
  /// Widens to the round values around it.
  Scale rounded(size_t count) const;
};

class Axes {
 public:
  Axes(Svg& svg, const Box& box, Scale x, Scale y) : svg_(svg), box_(box), x_(x), y_(y) {}

  struct Labels {
    std::string title, x, y;  // y stands above the axis, at its left end
    std::string (*x_text)(double) = nullptr;
    std::string (*y_text)(double) = nullptr;
    size_t x_ticks = 5, y_ticks = 5;
  };
  void draw(const Labels& labels);

  Point at(double x, double y) const;
  void curve(std::span<const double> x, std::span<const double> y, std::string_view classes, double opacity = 1);
  /// Across the whole plot.
  void level(double y, std::string_view classes);

  const Box& box() const { return box_; }

 private:
  Svg& svg_;
  Box box_;
  Scale x_, y_;
};

/// Moves labels that stand at these heights apart, so that each has `gap` pixels; their order stays.
std::vector<double> spread(const std::vector<double>& heights, double gap, double low, double high);

}  // namespace cria::figure
