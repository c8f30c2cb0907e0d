// Running a chapter's tests and reading what Catch2 says about them, from its XML: also when the program dies on the
// way.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace cria::learn {

/// One assertion that failed, or an exception that nobody expected.
struct Failure {
  std::string expression{};  // CHECK( relative_error(y, expected) < tolerance ), as in the source
  std::string expanded{};    // the same with values, or the exception's message
  std::string file{};
  std::size_t line = 0;
  std::vector<std::string> notes{};  // what the test printed with CAPTURE and INFO

  /// Where the sentence about a pattern begins in `expanded` (tests/pattern.hpp), else its length.
  std::size_t pattern_at() const { return std::min(expanded.find("; pattern: "), expanded.size()); }
  /// "yours is -1 times what is expected"; empty: none.
  std::string pattern() const;
  bool not_written() const { return expanded.find("is not written yet: ") != std::string::npos; }
};

struct TestCase {
  std::string name{};
  bool ended = false;
  bool passed = false;
  std::vector<Failure> failures{};

  /// Fails because something is not written yet: that came first, and what follows are its consequences.
  bool waits() const;
};

struct TestRun {
  std::vector<TestCase> cases{};
  bool timed_out = false;
  std::string crash{};   // "SIGSEGV - Segmentation violation signal"; empty: none
  std::string output{};  // what the code under test printed
  double seconds = 0;

  std::size_t passed() const;
  bool all_passed() const;
  /// The test that had not ended when the program did; null: none.
  const TestCase* interrupted() const;
};

/// Runs a Catch2 program. `only` names one test case; empty: all.
TestRun run_tests(const std::filesystem::path& program, double time_limit, const std::string& only = "");

/// A test's name as an argument for Catch2, where some characters have a meaning.
std::string as_pattern(const std::string& name);

}  // namespace cria::learn
