// The log of a training run: a line of JSON for each step, in order, each step once.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace cria {

/// What a run says after each step.
struct Progress {
  size_t step = 0;
  double seconds = 0;                          // since the run began, those before a resume included
  double share = 0;                            // of the run that is done, 0 to 1
  double loss = 0;                             // the batch's mean, in nats per token
  std::optional<double> validation_loss = {};  // at the steps that validate
  double bits_per_byte = 0;  // of the held-out text where it was just measured, else of the batch; 0: of no text
  std::optional<double> floor = {};  // in bits per byte, where it is known
  double tokens_per_second = 0;
  double learning_rate = 0;
  double gradient_norm = 0;
  std::map<std::string, double> figures = {};  // what else a kind of training says, as it was last measured
};

/// What goes wrong without ending the run is said with this.
using Warn = std::function<void(const std::string&)>;

class RunLog {
 public:
  /// Goes on behind the line of step `steps_done`: what stands after it, a killed run had done after its last
  /// checkpoint, and it is done again. With 0 the log begins anew. What is no regular file, such as a pipe, is only
  /// written to. Throws UserError when it cannot be opened.
  RunLog(const std::filesystem::path& file, size_t steps_done, Warn warn);
  RunLog(const RunLog&) = delete;
  ~RunLog();

  /// Never throws: lines that cannot be written, on a full disk perhaps, are said once and tried again with the next.
  void add(const Progress& progress);
  /// Makes what was written survive a power cut.
  void sync();

  /// Of the last step, be it one before a resume; empty where there is none.
  const std::string& last_line() const { return last_line_; }

 private:
  void warn_once();

  std::filesystem::path path_;
  Warn warn_;
  int file_ = -1;  // a descriptor
  bool regular_ = false, warned_ = false;
  std::string waiting_;  // lines that could not be written yet
  std::string last_line_;
};

}  // namespace cria
