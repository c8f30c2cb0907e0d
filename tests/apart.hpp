// Runs a part of a test in a process of its own, so that a crash in it is a failure of the test and not its end, and
// its time and memory can be measured.
#pragma once

#include <functional>
#include <string>

namespace cria::testing {

/// How the process ended, and what it took beyond what the test had.
struct Apart {
  int code = 0;         // 0: in good order; 2: by a UserError; negative: by that signal; else by another exception
  std::string message;  // of the exception
  double seconds = 0, megabytes = 0;  // of CPU time; of memory at its peak
};

/// Takes `body` to be done where it returns. What it changes in memory is lost.
Apart run_apart(const std::function<void()>& body);

/// "" when the body read something, or refused it by one line, in at most 2 s and so much memory; else what is wrong.
std::string fault_of(const Apart& reading, double most_megabytes = 256);

}  // namespace cria::testing
