// cria stories
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace cria {

struct StoriesOptions {
  std::size_t count = 3;
  std::uint64_t seed = 1;
  std::string out;          // a file; empty: the terminal
  std::string grammar;      // empty: that of the built-in stories
  bool statistics = false;  // print figures of the grammar instead of stories
  bool json = false;        // figures as JSON; only with statistics or out
};

/// Returns the exit code. Throws UserError for files that cannot be read or written.
int run_stories(const StoriesOptions& options);

}  // namespace cria
