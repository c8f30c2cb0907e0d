#include "app/learn/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <regex>

#include "app/learn/process.hpp"
#include "app/learn/progress.hpp"
#include "app/learn/stage.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria::learn {
namespace fs = std::filesystem;
namespace {

/// The learner's line at which the address sanitizer or the undefined-behaviour sanitizer stops this test, with its
/// reason; empty when it stops nowhere.
std::string find_crash(const Chapter& chapter, const fs::path& folder, const std::string& test, double time_limit) {
  const std::string target = fmt::format("test_{}_sanitized", chapter.folder);
  if (!build_target(target, chapter, folder).succeeded) return "";
  const ProcessResult run = run_process(
      {(build_folder() / "tests" / target).string(), test},
      {.time_limit = 4 * time_limit,
       .environment = {{"ASAN_OPTIONS", "detect_leaks=0:detect_container_overflow=0:allow_user_segv_handler=0"},
                       {"UBSAN_OPTIONS", "print_stacktrace=1"}}});
  write_file_atomically(stage_folder(chapter) / "crash.log", run.output);
  static const std::regex reason("AddressSanitizer: ([-a-zA-Z]+)|runtime error: ([^\n]+)");
  std::smatch what;
  const bool named = std::regex_search(run.output, what, reason);
  const size_t place = run.output.find(folder.string() + "/", named && what[1].matched ? what.position() : 0);
  if (!named || place == std::string::npos) return "";
  const std::string line = run.output.substr(place + folder.string().size() + 1);
  static const std::regex file_and_line("^[^:\n]+:[0-9]+");
  std::smatch at;
  if (!std::regex_search(line, at, file_and_line)) return "";
  std::string why = what[1].matched ? what[1].str() : what[2].str();
  if (why == "SEGV") why = "reads or writes where no memory is";
  return fmt::format("{}: {}", at[0].str(), why);
}

}  // namespace

CheckResult check_files(const Chapter& chapter, const FileTexts& files, const fs::path& folder, double time_limit,
                        bool explain_crash) {
  for (const auto& [name, text] : files) stage(chapter, chapter.file(name), text, folder / name);
  CheckResult result;
  const std::string target = fmt::format("test_{}_workshop", chapter.folder);
  result.build = build_target(target, chapter, folder);
  if (!result.build.succeeded) return result;
  result.run = run_tests(build_folder() / "tests" / target, time_limit);
  for (const TestCase& test : result.run.cases) result.failures += !test.passed && !test.waits();
  if (result.failures > 0)
    if (const auto mistakes = read_mistakes(chapter); !mistakes.empty())
      if (const Mistake* found = recognise(result.run, mistakes, read_fingerprints(chapter))) result.mistake = *found;
  if (!result.run.crash.empty() && explain_crash) {
    // Catch2 may have ended the test that crashed before it let the signal through.
    const std::string test = result.run.cases.empty() ? "" : result.run.cases.back().name;
    result.crash_place = find_crash(chapter, folder, as_pattern(test), time_limit);
  }
  return result;
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
