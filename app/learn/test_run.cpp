#include "app/learn/test_run.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "app/learn/chapter.hpp"
#include "app/learn/process.hpp"
#include "lib/base/file.hpp"

namespace cria::learn {
namespace fs = std::filesystem;
namespace {

std::string unescape(std::string_view text) {
  constexpr std::pair<std::string_view, char> entities[] = {
      {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}, {"&amp;", '&'}};
  std::string out;
  while (!text.empty()) {
    const auto* entity = std::ranges::find_if(entities, [&](const auto& e) { return text.starts_with(e.first); });
    const bool is_entity = entity != std::end(entities);
    out += is_entity ? entity->second : text.front();
    text.remove_prefix(is_entity ? entity->first.size() : 1);
  }
  return out;
}

/// An element's beginning, its end, or its text; Catch2's XML has no other parts that matter.
struct Tag {
  std::string_view name;        // "/TestCase" at an end
  std::string_view attributes;  // name="…" line="3"
  std::string text;             // that follows

  std::string attribute(std::string_view key) const {
    const std::string begin = std::string(key) + "=\"";
    const size_t at = attributes.find(begin);  // no key of Catch2's is the end of another
    if (at == std::string_view::npos) return "";
    const std::string_view value = attributes.substr(at + begin.size());
    return unescape(value.substr(0, value.find('"')));
  }
};

/// The tag that begins the text, which is shortened; false at its end, or where the XML breaks off.
bool next_tag(std::string_view& xml, Tag& tag) {
  const size_t begin = xml.find('<');
  const size_t end = xml.find('>', begin);
  if (begin == xml.npos || end == xml.npos) return false;
  const std::string_view inner = xml.substr(begin + 1, end - begin - 1);
  tag.name = inner.substr(0, inner.find_first_of(" \n/", 1));
  tag.attributes = trim(inner.substr(tag.name.size()));
  xml.remove_prefix(end + 1);
  tag.text = unescape(trim(xml.substr(0, xml.find('<'))));
  return true;
}

/// Adds the tests in the XML of Catch2's reporter, which may end anywhere.
void read_report(std::string_view xml, TestRun& run) {
  std::vector<TestCase>& cases = run.cases;
  std::vector<std::string> notes;
  bool in_expression = false;
  const auto add = [&](const Tag& tag) {
    cases.back().failures.push_back({.file = tag.attribute("filename"),
                                     .line = std::strtoul(tag.attribute("line").c_str(), nullptr, 10),
                                     .notes = std::exchange(notes, {})});
  };
  for (Tag tag; next_tag(xml, tag);) {
    if (tag.name == "TestCase") {
      cases.push_back({.name = tag.attribute("name")});
      notes.clear();
    }
    if (cases.empty()) continue;
    std::vector<Failure>& failures = cases.back().failures;
    if (tag.name == "Info") {
      notes.push_back(tag.text);
    } else if (tag.name == "Expression") {
      add(tag);
      failures.back().expression = tag.attribute("type");
      in_expression = true;
    } else if (tag.name == "/Expression") {
      in_expression = false;
    } else if (tag.name == "Original" && in_expression) {
      failures.back().expression += "(" + tag.text + ")";
    } else if (tag.name == "Expanded" && in_expression) {
      failures.back().expanded = tag.text;
    } else if (tag.name == "Exception" || tag.name == "Failure") {
      if (!in_expression) add(tag);
      failures.back().expanded = tag.text;
    } else if (tag.name == "FatalErrorCondition") {
      run.crash = tag.text;
    } else if (tag.name == "StdOut" || tag.name == "StdErr") {  // Catch2 keeps std::cout, and leaves printf alone
      run.output += tag.text + "\n";
    } else if (tag.name == "OverallResult") {
      cases.back().passed = tag.attribute("success") == "true";
    } else if (tag.name == "/TestCase") {
      cases.back().ended = true;
    }
  }
}

}  // namespace

std::string Failure::pattern() const {
  constexpr std::string_view marker = "; pattern: ";
  const size_t begin = pattern_at() + marker.size();
  return begin < expanded.size() ? expanded.substr(begin, expanded.find_first_of("\")", begin) - begin) : "";
}

bool TestCase::waits() const { return !failures.empty() && failures.front().not_written(); }

size_t TestRun::passed() const { return static_cast<size_t>(std::ranges::count(cases, true, &TestCase::passed)); }

bool TestRun::all_passed() const {
  return !cases.empty() && passed() == cases.size() && crash.empty() && !timed_out && !interrupted();
}

const TestCase* TestRun::interrupted() const { return cases.empty() || cases.back().ended ? nullptr : &cases.back(); }

std::string as_pattern(const std::string& name) {
  std::string pattern;
  for (const char c : name) {
    if (std::strchr("\\,[]*\"", c)) pattern += '\\';
    pattern += c;
  }
  return pattern;
}

TestRun run_tests(const fs::path& program, double time_limit, const std::string& only) {
  const fs::path report = program.string() + ".xml";
  fs::remove(report);
  std::vector<std::string> command{program.string(), "-r", "xml", "-o", report.string()};
  if (!only.empty()) command.push_back(as_pattern(only));
  const ProcessResult process = run_process(command, {.time_limit = time_limit,
                                                      // The cases that cria does not ship would make results differ.
                                                      .environment = {{"CRIA_CASES", "none"}}});
  TestRun run{.timed_out = process.timed_out, .output = process.output, .seconds = process.seconds};
  if (fs::exists(report)) read_report(read_file(report), run);
  if (run.crash.empty() && process.signal != 0 && !process.timed_out) run.crash = ::strsignal(process.signal);
  if (run.crash.empty() && run.cases.empty() && !process.timed_out) run.crash = "it ended before its first test";
  return run;
}

}  // namespace cria::learn
