// Results on the screen and as JSON.
#pragma once

#include <span>
#include <string>

#include "app/bench/measure.hpp"

namespace cria::bench {

/// A heading and a line for each result, with a bar that shows how near its limit it is.
void print_section(const std::string& title, std::span<const Result> results);

/// An array of objects with name, shape, type, target, threads, value, unit, limit, fraction and spread; limit and
/// fraction are null where nothing limits.
void print_json(std::span<const Result> results);

/// What is being measured, on stderr where that is a terminal.
class ProgressLine {
 public:
  explicit ProgressLine(std::string title);
  ~ProgressLine() { clear(); }
  void show(const Case& at, double share) const;
  void clear() const;

 private:
  std::string title_;
  bool terminal_;
};

}  // namespace cria::bench
