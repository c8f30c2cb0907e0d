#include "app/look/run_lines.hpp"

#include <nlohmann/json.hpp>
#include <utility>

namespace cria::look {

void RunLine::add(const RunLine& later) {
  step = later.step;
  steps += later.steps;
  for (const auto& [name, sum] : later.sums) sums[name] += sum, counts[name] += later.counts.at(name);
}

RunLine line_of(size_t step, bool measured, Figures figures) {
  RunLine line{step, 1, measured, std::move(figures)};
  for (const auto& [name, value] : line.sums) line.counts[name] = 1;
  return line;
}

nlohmann::json line_data(const RunLine& line) {
  nlohmann::json data = {{"step", line.step}, {"measured", line.measured}};
  for (const auto& [name, sum] : line.sums) data[name] = sum / double(line.counts.at(name));
  return data;
}

void RunLines::add(const RunLine& step) {
  if (step.measured) {
    close();
    lines_.push_back(step);
    ++measured_;
    return;
  }
  open_.add(step);
  if (open_.steps >= group_) close();
}

void RunLines::close() {
  if (open_.steps == 0) return;
  lines_.push_back(std::exchange(open_, {}));
  // A line never has more steps than there are: beyond that, what is left stands alone between two measurements.
  if (lines_.size() - measured_ > most_ && group_ < lines_.back().step) halve();
}

/// Joins neighbours, two by two.
void RunLines::halve() {
  group_ *= 2;
  std::vector<RunLine> joined;
  for (RunLine& line : lines_) {
    const bool fits =
        !joined.empty() && !joined.back().measured && !line.measured && joined.back().steps + line.steps <= group_;
    if (fits)
      joined.back().add(line);
    else
      joined.push_back(std::move(line));
  }
  lines_ = std::move(joined);
}

}  // namespace cria::look
