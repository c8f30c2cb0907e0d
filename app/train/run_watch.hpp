// RunWatch: a page that shows a training run while it goes, to browsers on this machine.
//
// The run only adds its steps, which costs it a lock that nobody holds for longer than it takes to copy some lines. An
// open page has a thread of the server, which sends what is new once a second as Server-Sent Events: so a page knows of
// the run's end before the process ends, and of a process that was killed.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "app/look/run_lines.hpp"
#include "chapters/11-pretraining/run_folder.hpp"
#include "chapters/11-pretraining/run_log.hpp"
#include "lib/http/server.hpp"

namespace cria {

struct TrainOptions;

class RunWatch {
 public:
  /// Listens on 127.0.0.1 from now on; port 0: one that is free. Throws UserError where that cannot be.
  explicit RunWatch(std::uint16_t port);
  /// Where nobody has said how the run ended, it has failed.
  ~RunWatch();

  std::uint16_t port() const { return server_->port(); }

  /// What runs, and what was logged of it before it was resumed: in that file, or empty: in the folder.
  void begin(const RunFolder& folder, const std::filesystem::path& log, const std::string& title, size_t steps_done);
  void add(const Progress& progress);
  /// Finished, or else stopped by a signal.
  void end(bool finished);

 private:
  enum class State { waiting, running, ended, stopped, failed };
  /// What a page has so far.
  struct Shown {
    size_t group = 0, lines = 0, step = SIZE_MAX;
    std::optional<State> state = {};
  };
  void answer(const http::Request& request, http::Exchange& exchange);
  void follow(http::Exchange& exchange);
  /// What is new since then; null where nothing is.
  nlohmann::json news(Shown& shown) const;
  bool is_over() const { return state_ > State::running; }
  void finish(State state);

  mutable std::mutex mutex_;
  std::condition_variable ended_;
  State state_ = State::waiting;
  std::string name_, title_;
  look::RunLines lines_;
  look::RunLine last_;
  std::optional<double> floor_;
  double share_ = 0;
  std::unique_ptr<http::Server> server_;  // whose threads use all of the above
};

/// Where the options ask for one; it says its address.
std::unique_ptr<RunWatch> watch_run(const TrainOptions& options);

}  // namespace cria
