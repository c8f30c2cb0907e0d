// Building one target of the workshop, and the compiler's complaints in short.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "app/learn/chapter.hpp"

namespace cria::learn {

struct BuildResult {
  bool succeeded = false;
  bool learners_fault = false;          // the complaints are about the learner's files
  std::vector<std::string> messages{};  // the most important first, each a line or a few
  std::vector<std::string> warnings{};  // about the learner's files
  std::filesystem::path log{};          // everything that was said
};

/// Builds a target with what is staged. `folder` is where the chapter's files claim to be: see stage().
BuildResult build_target(const std::string& target, const Chapter& chapter, const std::filesystem::path& folder);

}  // namespace cria::learn
