// What a person sees while a model trains: a live panel on a terminal, a plain line every few seconds elsewhere. It
// fits the terminal at any moment, and a terminal that goes does not end the run.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "app/train/panel.hpp"
#include "chapters/11-pretraining/run_log.hpp"

namespace cria {

class TrainingDisplay {
 public:
  /// Where it does not show, only warnings are printed.
  TrainingDisplay(std::string title, bool shows);

  void show(const Progress& progress);
  /// Shows the last step, which may not have been due, and leaves the panel as it stands.
  void end();
  /// One line on standard error, above the panel.
  void warn(const std::string& message);

 private:
  void show_panel();
  void show_line();
  void put(const std::string& text);
  /// Those of the kind of training, of the last step: "reward 0.31".
  std::vector<std::string> figures() const;

  std::string title_;
  bool shows_, terminal_, colours_;
  std::chrono::steady_clock::time_point last_;
  std::optional<Progress> progress_;  // of the last step
  bool shown_ = false;                // that step
  size_t lines_ = 0;                  // that the panel takes now
  bool of_text_ = true;               // the curve has bits per byte; else the loss
  std::vector<double> bits_;          // bits per byte so far, or losses, for the curve
  double smooth_bits_ = 0;
  std::optional<double> validation_bits_;
};

/// "1:05", "2:01:40"
std::string clock_text(double seconds);

}  // namespace cria
