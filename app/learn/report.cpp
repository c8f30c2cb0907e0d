// What `cria learn check` prints: the mistake by its name first, then what failed, then what to do next.
#include <fmt/format.h>

#include <algorithm>
#include <regex>

#include "app/learn/check.hpp"
#include "app/learn/progress.hpp"

namespace cria::learn {
namespace {

constexpr size_t most_messages = 3, most_tests = 3, most_lines_printed = 20, longest_text = 400;

std::string indented(const std::string& text, const std::string& indent) {
  std::string out;
  for (const std::string& line : split_lines(text)) out += indent + line + "\n";
  return out;
}

std::string shortened(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  for (size_t at; (at = text.find("  ")) != text.npos;) text.erase(at, 1);
  return text.size() <= longest_text ? text : text.substr(0, longest_text) + " …";
}

void print_failure(const TestCase& test) {
  fmt::print("\n  ✗ {}\n", test.name);
  const auto first = std::ranges::find_if(test.failures, [](const Failure& f) { return !f.not_written(); });
  if (first == test.failures.end()) return;
  for (const std::string& note : first->notes) fmt::print("      with {}\n", shortened(note));
  fmt::print("      {}\n",
             shortened(first->expression.empty() ? "an exception that nobody expected" : first->expression));
  fmt::print("      is: {}\n      at {}:{}\n", shortened(first->expanded), shown(first->file), first->line);
}

/// The first failure that shows a pattern, or null.
const Failure* with_pattern(const TestRun& run) {
  for (const TestCase& test : run.cases)
    for (const Failure& failure : test.failures)
      if (!failure.pattern().empty()) return &failure;
  return nullptr;
}

/// "d_x" of "CHECK(difference(problem.d_x, …) == "")"
std::string compared(const std::string& expression) {
  static const std::regex first("(?:difference|relative_error)\\((?:[A-Za-z_0-9]+\\.)*([A-Za-z_0-9]+)[,.(]");
  std::smatch found;
  return std::regex_search(expression, found, first) ? found[1].str() : "The result";
}

void print_list(const std::vector<std::string>& messages, size_t most) {
  for (size_t i = 0; i < std::min(messages.size(), most); ++i)
    fmt::print("{}{}", i ? "\n" : "", indented(messages[i], "  "));
  if (messages.size() > most) fmt::print("  and {} more\n", messages.size() - most);
}

void report_build(const Chapter& chapter, const BuildResult& build) {
  if (build.learners_fault)
    fmt::print("{} {}: does not compile\n\n", chapter.number(), chapter.title);
  else
    fmt::print("{} {}: could not be built, and not because of your files\n\n", chapter.number(), chapter.title);
  print_list(build.messages, most_messages);
  fmt::print("\nEverything that the compiler said: {}\n", shown(build.log));
}

}  // namespace

int report(const Chapter& chapter, const CheckResult& result) {
  if (!result.build.succeeded) {
    report_build(chapter, result.build);
    return 1;
  }
  const TestRun& run = result.run;
  const bool stopped = run.timed_out || !run.crash.empty();
  if (stopped)
    fmt::print("{} {}: {} tests pass; one ended the run, and those after it did not start\n", chapter.number(),
               chapter.title, run.passed());
  else
    fmt::print("{} {}: {} of {} tests pass\n", chapter.number(), chapter.title, run.passed(), run.cases.size());
  if (!run.output.empty() && !result.green()) {
    std::vector<std::string> lines = split_lines(run.output);
    std::erase_if(lines, [](const std::string& line) { return line.starts_with("skipped"); });
    const size_t hidden = lines.size() > most_lines_printed ? lines.size() - most_lines_printed : 0;
    lines.erase(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(hidden));
    if (!lines.empty())
      fmt::print("\n  Your code printed{}:\n{}", hidden ? fmt::format(" (its last {} lines)", lines.size()) : "",
                 indented(join_lines(lines), "    "));
  }
  if (run.timed_out)
    fmt::print("\n  ✗ {}\n      did not end within {:.0f} s: is there a loop that never ends?\n",
               run.interrupted() ? run.interrupted()->name : "the tests", run.seconds);
  if (!run.crash.empty()) {
    fmt::print("\n  ✗ {}\n      crashed: {}\n", run.cases.empty() ? "the tests" : run.cases.back().name, run.crash);
  }
  if (result.mistake)
    fmt::print("\n  → {}\n", result.mistake->sentence);
  else if (const Failure* failure = with_pattern(run))
    fmt::print("\n  → {}: {}.\n", compared(failure->expression), failure->pattern());

  size_t printed = 0;
  std::vector<std::string> more, waiting;
  for (const TestCase& test : run.cases) {
    if (test.passed || (!test.ended && run.timed_out) || (!run.crash.empty() && &test == &run.cases.back())) continue;
    if (test.waits())
      waiting.push_back(test.failures.front().expanded);
    else if (++printed <= most_tests)
      print_failure(test);
    else
      more.push_back(test.name);
  }
  if (!more.empty()) fmt::print("\n  {} more fail:\n{}", more.size(), indented(join_lines(more), "    "));
  if (!waiting.empty()) {
    fmt::print("\n  {} wait for what is not written yet:", waiting.size());
    for (size_t i = 0; i < waiting.size(); ++i)
      if (std::find(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(i), waiting[i]) ==
          waiting.begin() + static_cast<std::ptrdiff_t>(i))
        fmt::print("{} {}", i ? "," : "", waiting[i].substr(waiting[i].rfind(' ') + 1));
    fmt::print("\n");
  }
  if (result.failures > 0 && !result.build.warnings.empty()) {
    fmt::print("\n  The compiler warned:\n");
    print_list(result.build.warnings, most_messages);
  }
  return result.green() ? 0 : 1;
}

}  // namespace cria::learn
