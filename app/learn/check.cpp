#include "app/learn/check.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "app/learn/progress.hpp"
#include "app/learn/stage.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria::learn {
namespace fs = std::filesystem;

CheckResult check_files(const Chapter& chapter, const FileTexts& files, const fs::path& folder, double time_limit) {
  for (const auto& [name, text] : files) stage(chapter, chapter.file(name), text, folder / name);
  CheckResult result;
  const std::string target = fmt::format("test_{}_workshop", chapter.folder);
  result.build = build_target(target, chapter, folder);
  if (!result.build.succeeded) return result;
  result.run = run_tests(build_folder() / "tests" / target, time_limit);
  for (const TestCase& test : result.run.cases) result.failures += !test.passed && !test.waits();
  if (result.failures > 0) {
    const std::vector<Mistake> mistakes = read_mistakes(chapter);
    const Fingerprints fingerprints = read_fingerprints(chapter);
    if (const Mistake* found = recognise(result.run, mistakes, fingerprints)) result.mistake = *found;
    result.suspect = result.mistake ? result.mistake->region : suspect(result.run, mistakes, fingerprints);
  }
  return result;
}

std::vector<std::string> CheckResult::failed() const {
  std::vector<std::string> names;
  for (const TestCase& test : run.cases)
    // Catch2 may have ended the test that crashed before it let the signal through.
    if ((!test.passed && !test.waits()) || (!run.crash.empty() && &test == &run.cases.back()))
      names.push_back(test.name);
  return names;
}

FileTexts learners_files(const Chapter& chapter) {
  if (!started(chapter))
    throw UserError(fmt::format("chapter {0} is not started; ./cria learn start {0} begins it", chapter.number()));
  FileTexts files;
  for (const ChapterFile& file : chapter.files) {
    const fs::path path = learners_file(chapter, file);
    if (!fs::exists(path))
      throw UserError(fmt::format("{} is gone; ./cria learn start {} writes it anew and leaves the others as they are",
                                  shown(path), chapter.number()));
    files[file.name] = read_file(path);
  }
  return files;
}

}  // namespace cria::learn
