// cria judge
#pragma once

#include <cstddef>
#include <string>

namespace cria {

struct JudgeOptions {
  std::string file;              // stories
  std::string separator = "\n";  // between two of them
  std::string grammar;           // empty: that of the built-in stories, or of the stories on request
  bool requests = false;         // the file holds requests with answers
  std::size_t faults = 5;        // examples of what was wrong
  bool json = false;
};

/// Returns the exit code. Throws UserError for files that cannot be read.
int run_judge(const JudgeOptions& options);

}  // namespace cria
