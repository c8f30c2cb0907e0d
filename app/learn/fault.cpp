#include "app/learn/fault.hpp"

#include <fmt/format.h>

#include <regex>

#include "app/learn/build.hpp"
#include "app/learn/process.hpp"
#include "app/learn/stage.hpp"
#include "app/learn/test_run.hpp"
#include "lib/base/file.hpp"

namespace cria::learn {
namespace fs = std::filesystem;
namespace {

/// What a check or a sanitizer says, in a learner's words.
std::string reason(const std::smatch& said) {
  if (said[1].matched) return said[1];  // of a view
  if (said[2].matched)
    return said[2] == "__n < this->size()" || said[2] == "__idx < size()"
               ? "an index beyond the end of a span or a vector"
               : fmt::format("this does not hold here: {}", said[2].str());
  if (said[3].matched) return said[3];
  const std::string what = said[4];
  return what == "SEGV" ? "reads or writes where no memory is"
                        : fmt::format("reads or writes outside of an array ({})", what);
}

}  // namespace

std::string find_fault(const Chapter& chapter, const fs::path& folder, const std::vector<std::string>& tests,
                       double time_limit) {
  const std::string target = fmt::format("test_{}_checked", chapter.folder);
  if (!build_target(target, chapter, folder).succeeded) return "";
  std::string patterns;
  for (const std::string& test : tests) patterns += (patterns.empty() ? "" : ",") + as_pattern(test);
  constexpr double slower = 4;
  const ProcessResult run = run_process(
      {(build_folder() / "tests" / target).string(), patterns},
      {.time_limit = slower * time_limit,
       // 2: Catch2 does not get to see the signal, so the trace is that of the learner's line.
       .environment = {{"ASAN_OPTIONS",
                        "detect_leaks=0:detect_container_overflow=0:handle_segv=2:handle_abort=2:handle_sigfpe=2:"
                        "handle_sigill=2:handle_sigbus=2"},
                       {"UBSAN_OPTIONS", "print_stacktrace=1"},
                       {"CRIA_SIMD", "portable"},
                       {"CRIA_CASES", "none"}}});
  write_file_atomically(stage_folder(chapter) / "fault.log", run.output);
  static const std::regex stops(
      "View: (index [^\n]+)|Assertion [`']([^\n]+)' failed|runtime error: ([^\n]+)|AddressSanitizer: ([-a-zA-Z]+)");
  std::smatch said;
  if (run.succeeded() || !std::regex_search(run.output, said, stops)) return "";
  // The sanitizer for undefined behaviour says the place first, all others at the top of their trace.
  const size_t line_begin = run.output.rfind('\n', said.position()) + 1;
  const std::string prefix = folder.string() + "/";
  const size_t place = run.output.find(prefix, line_begin);
  if (place == std::string::npos) return "";
  const std::string at = run.output.substr(place + prefix.size(), run.output.find('\n', place) - place);
  static const std::regex file_and_line("^[^:\n]+:[0-9]+");
  std::smatch found;
  return std::regex_search(at, found, file_and_line) ? fmt::format("{}: {}", found[0].str(), reason(said)) : "";
}

}  // namespace cria::learn
