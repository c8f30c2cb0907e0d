#include "app/train/panel.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>

namespace cria {
namespace {

std::string repeated(std::string_view text, size_t count) {
  std::string all;
  for (size_t i = 0; i < count; ++i) all += text;
  return all;
}

// The mean of the values that fall into each column, or the value at its place where there are fewer.
std::vector<double> in_columns(const std::vector<double>& values, size_t columns) {
  std::vector<double> means(columns);
  for (size_t x = 0; x < columns; ++x) {
    const size_t begin = x * values.size() / columns, end = std::max((x + 1) * values.size() / columns, begin + 1);
    double sum = 0;
    for (size_t i = begin; i < end; ++i) sum += values[i];
    means[x] = sum / double(end - begin);
  }
  return means;
}

}  // namespace

TerminalSize terminal_size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {size.ws_col, size.ws_row};
}

bool can_redraw() {
  const char* terminal = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) && terminal && std::string_view(terminal) != "dumb" && *terminal;
}

bool wants_colours() {
  const char* none = std::getenv("NO_COLOR");
  return !none || !*none;
}

std::vector<std::string> flow(const std::vector<std::string>& words, const std::string& gap, size_t columns) {
  std::vector<std::string> lines;
  for (const std::string& word : words)
    if (!lines.empty() && lines.back().size() + gap.size() + word.size() <= columns)
      lines.back() += gap + word;
    else
      lines.push_back(word);
  return lines;
}

std::string bar(double share, size_t columns) {
  const auto full = std::min(static_cast<size_t>(std::lround(share * double(columns))), columns);
  return repeated("█", full) + repeated("░", columns - full);
}

std::vector<std::string> curve(const std::vector<double>& values, std::optional<double> floor, size_t last_step,
                               size_t columns, size_t rows) {
  static constexpr const char* blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  constexpr size_t margin = 7;  // of the values at the left
  const size_t width = columns - margin, height = rows - 2;
  const std::vector<double> points = in_columns(values, width);
  const double highest = std::ranges::max(points), lowest = floor.value_or(std::ranges::min(points));
  const auto level = [&](double value) { return floor ? std::log(std::max(value - 0.8 * *floor, 1e-3)) : value; };
  const double top = level(highest), bottom = level(lowest);

  std::vector<std::string> lines(height);
  for (size_t row = 0; row < height; ++row)
    lines[row] = row == 0 ? fmt::format("{:5.2f} ┤", highest) : std::string("      │");
  for (const double value : points) {
    const double share = top > bottom ? std::clamp((level(value) - bottom) / (top - bottom), 0.0, 1.0) : 1;
    const auto eighths = static_cast<size_t>(std::lround(share * (8 * double(height) - 1))) + 1;
    for (size_t row = 0; row < height; ++row) {
      const size_t below = 8 * (height - 1 - row);
      lines[row] += blocks[eighths <= below ? 0 : std::min<size_t>(eighths - below, 8)];
    }
  }
  const std::string name = floor ? " floor" : "";
  lines.push_back(fmt::format("{:5.2f} └{}{}", lowest, repeated(floor ? "┄" : "─", width - name.size()), name));
  const std::string first = "step 1", last = fmt::format("{}", last_step);
  std::string below = std::string(margin, ' ') + first;
  const std::string unit = "bits per byte";
  if (width >= first.size() + unit.size() + last.size() + 4) {
    below += std::string((width - unit.size()) / 2 - first.size(), ' ') + unit;
  }
  below += std::string(columns - std::min(columns, below.size() + last.size()), ' ') + last;
  lines.push_back(below);
  return lines;
}

}  // namespace cria
