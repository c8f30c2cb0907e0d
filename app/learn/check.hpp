// Building and testing one chapter with other files in place of its own: the learner's, or a mistake.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "app/learn/build.hpp"
#include "app/learn/chapter.hpp"
#include "app/learn/mistake.hpp"
#include "app/learn/test_run.hpp"

namespace cria::learn {

struct CheckResult {
  BuildResult build;
  TestRun run;                     // when the build succeeded
  std::optional<Mistake> mistake;  // that explains the run
  std::string suspect;             // the region that is most likely wrong; empty: none in particular
  std::size_t failures = 0;        // tests that failed by more than waiting

  bool green() const { return build.succeeded && run.all_passed(); }
  /// The names of those tests, and of one that crashed.
  std::vector<std::string> failed() const;
};

/// The text of each file; `folder` is where they claim to be, for messages.
using FileTexts = std::map<std::string, std::string>;

/// Builds and runs.
CheckResult check_files(const Chapter& chapter, const FileTexts& files, const std::filesystem::path& folder,
                        double time_limit);

/// The learner's files. Throws UserError when the chapter is not started, or a file is gone.
FileTexts learners_files(const Chapter& chapter);

/// What a person reads about it; the exit code of `cria learn check`: 0 when green, else 1.
int report(const Chapter& chapter, const CheckResult& result);

}  // namespace cria::learn
