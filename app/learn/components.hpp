// Which chapters of this program are a learner's. The list is made by the build, of the files that were linked.
#pragma once

#include <span>

namespace cria::learn {

struct LearnersFile {
  const char* chapter;  // 03-rmsnorm
  const bool* ran;      // set by the learner's own object file when one of its regions runs
};

/// Empty in cria; the staged files in the program that `cria learn train` builds.
std::span<const LearnersFile> learners_components();

}  // namespace cria::learn
