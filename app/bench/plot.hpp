// Line plots as SVG, readable on light and on dark pages.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace cria::bench {

struct Point {
  double x, y;
};

struct Series {
  std::string name;
  std::vector<Point> points;  // by ascending x
  bool dashed = false;        // for what something is held against
};

struct Panel {
  std::string title, x_label, y_label;
  // Both axes begin at 0.
  std::vector<Series> series;
};

/// Writes the panels, two in a row. Throws UserError when the file cannot be written.
void write_plot(const std::filesystem::path& file, std::span<const Panel> panels);

}  // namespace cria::bench
