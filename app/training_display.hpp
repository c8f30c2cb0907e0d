// What a person sees while a model trains: a live panel on a terminal, a plain line every few seconds elsewhere.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "chapters/11-pretraining/pretraining.hpp"

namespace cria {

class TrainingDisplay {
 public:
  explicit TrainingDisplay(std::string title);
  ~TrainingDisplay();

  void show(const Progress& progress);

 private:
  void show_panel(const Progress& progress);
  void show_line(const Progress& progress);

  std::string title_;
  bool terminal_;
  std::chrono::steady_clock::time_point last_;
  size_t lines_ = 0;          // that the panel takes now
  std::vector<double> bits_;  // bits per byte so far, for the curve
  double smooth_bits_ = 0;
  std::optional<double> validation_bits_;
};

/// "1:05", "2:01:40"
std::string clock_text(double seconds);
/// "34.2K"
std::string count_text(double count);

}  // namespace cria
