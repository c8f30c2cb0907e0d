// RunLines: a training run's log in so few lines as a chart can show, while it grows.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace cria::look {

using Figures = std::map<std::string, double>;  // "loss", "bits_per_byte", … as the log names them

/// Some steps in order: of each figure the mean of those that had it.
struct RunLine {
  size_t step = 0, steps = 0;  // the last of them, and how many
  bool measured = false;       // on held-out text: one step, that is no mean with what a batch gave
  Figures sums = {};
  std::map<std::string, size_t> counts = {};

  void add(const RunLine& later);
};

/// {"step", "measured", and each figure}
nlohmann::json line_data(const RunLine& line);

/// One step as a line.
RunLine line_of(size_t step, bool measured, Figures figures);

class RunLines {
 public:
  explicit RunLines(size_t most = 1000) : most_(most) {}

  void add(const RunLine& step);

  /// Complete ones, but for measurements, and what stands alone between two of them, at most `most`. Whoever has seen
  /// some finds more behind them as long as the group is the same.
  const std::vector<RunLine>& lines() const { return lines_; }
  /// Steps in a line; doubles when there are too many lines.
  size_t group() const { return group_; }
  /// The line of the last steps is complete, even if more of them would have room in it.
  void close();

 private:
  void halve();

  size_t most_, group_ = 1, measured_ = 0;
  std::vector<RunLine> lines_;
  RunLine open_;
};

}  // namespace cria::look
