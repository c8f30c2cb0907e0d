// The wish that a program should end, as its user or the system sends it.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>

namespace cria {

/// As long as it lives, Ctrl-C (SIGINT), SIGTERM and a terminal that goes (SIGHUP) only set a flag, for whoever works
/// to look at and end in good order. A second SIGINT or SIGTERM ends the program at once; a second SIGHUP does not, as
/// a closing terminal sends more than one. A signal that the program was started to ignore stays ignored: nohup does
/// that. A pipe that nobody reads any more (SIGPIPE) is an error of the write. There is one at a time.
class StopSignals {
 public:
  enum class Which { all, interrupt };  ///< only Ctrl-C: the others do what they did
  explicit StopSignals(Which which = Which::all);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  const std::atomic<bool>& requested() const;

 private:
  using Handler = void (*)(int);
  std::size_t count_;
  std::array<Handler, 4> before_;
};

}  // namespace cria
