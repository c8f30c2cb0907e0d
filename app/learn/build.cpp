#include "app/learn/build.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <regex>

#include "app/learn/process.hpp"
#include "app/learn/stage.hpp"
#include "lib/base/cpus.hpp"
#include "lib/base/file.hpp"

namespace cria::learn {
namespace fs = std::filesystem;
namespace {

constexpr size_t snippet_lines = 2;  // the line of code, and the marks below it

/// "rmsnorm.cpp:23: error: …" and the code, from "/…/rmsnorm.cpp:23:5: error: …"
std::string block(const std::vector<std::string>& lines, size_t at, const std::string& prefix) {
  std::string text = lines[at].substr(prefix.size());
  for (size_t i = at + 1; i < lines.size() && i <= at + snippet_lines; ++i) {
    const std::string_view line = trim(lines[i]);
    if (line.find('|') == line.npos || !lines[i].starts_with(" ")) break;
    text += "\n" + lines[i];
  }
  return text;
}

/// Fills in what a compiler or linker said, in short.
void shorten(const std::string& log, const Chapter& chapter, const fs::path& folder, BuildResult& result) {
  const std::string prefix = folder.string() + "/";
  const std::vector<std::string> lines = split_lines(log);
  std::vector<std::string> elsewhere;
  std::string through;  // the learner's line that led into a header
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string& line = lines[i];
    const bool theirs = line.starts_with(prefix);
    const bool is_error = line.find(" error: ") != line.npos;
    if (theirs && is_error) {
      result.messages.push_back(block(lines, i, prefix));
    } else if (theirs && line.find(" warning: ") != line.npos) {
      result.warnings.push_back(block(lines, i, prefix));
    } else if (theirs && line.find("required from") != line.npos) {
      through = line.substr(prefix.size(), line.find(": ", prefix.size()) - prefix.size());
    } else if (is_error) {
      const std::string message = line.substr(line.find(" error: ") + 8);
      if (!through.empty())
        result.messages.push_back(fmt::format("{}: leads to: {}", through, message));
      else
        elsewhere.push_back(line);
      through.clear();
    }
  }
  // What the linker misses: `cria::rmsnorm_backward(cria::View<…>, …)'
  static const std::regex missing("undefined reference to [`']cria::([A-Za-z_0-9:]+)");
  std::smatch found;
  std::vector<std::string> names;
  for (const std::string& line : lines)
    if (std::regex_search(line, found, missing) && std::ranges::find(names, found[1].str()) == names.end())
      names.push_back(found[1].str());
  for (const std::string& name : names)
    result.messages.push_back(fmt::format(
        "{0} is missing: your files define no function of that name with the parameters that the headers in\n"
        "chapters/{1} declare",
        name, chapter.folder));
  result.learners_fault = !result.messages.empty();
  if (result.messages.empty()) result.messages = elsewhere;
  if (result.messages.empty())
    result.messages.assign(lines.end() - static_cast<std::ptrdiff_t>(std::min<size_t>(lines.size(), 5)), lines.end());
}

}  // namespace

BuildResult build_target(const std::string& target, const Chapter& chapter, const fs::path& folder) {
  const BuildLock lock(build_folder());
  const ProcessResult run = run_process(
      {"cmake", "--build", build_folder().string(), "--target", target, "--parallel", fmt::format("{}", available_cpus())},
      {.environment = {{"LC_ALL", "C"}}});
  BuildResult result{.succeeded = run.succeeded(), .log = stage_folder(chapter) / "build.log"};
  fs::create_directories(result.log.parent_path());
  write_file_atomically(result.log, run.output);
  shorten(run.output, chapter, folder, result);
  return result;
}

}  // namespace cria::learn
