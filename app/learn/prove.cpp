// cria learn prove: shows for each chapter that its skeleton waits, its reference passes, and that every mistake
// compiles, is caught by the test it names, and is recognised. For authors and CI; a learner has no use for it.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <regex>

#include "app/learn/check.hpp"
#include "app/learn/hints.hpp"
#include "app/learn/learn.hpp"
#include "app/learn/stage.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {
namespace fs = std::filesystem;
using namespace learn;
namespace {

/// Runs one chapter after another and counts what does not hold.
class Prover {
 public:
  Prover(double time_limit, bool record) : time_limit_(time_limit), record_(record) {}
  size_t passed() const { return passed_; }
  size_t failed() const { return failed_; }

  void prove(const Chapter& chapter) {
    read_hints(chapter);
    skeletons(chapter);
    Fingerprints recorded;
    const std::vector<Mistake> mistakes = read_mistakes(chapter);
    if (mistakes.size() < 5)
      say(chapter, "mistakes", fmt::format("there are {}, expected at least 5", mistakes.size()));
    std::map<std::string, CheckResult> results;  // by the mistake's name
    for (const Mistake* mistake : by_file(mistakes)) {
      FileTexts files = references(chapter);
      files[mistake->file] = mistake->wrong;
      const CheckResult& result = results[mistake->name] = check(chapter, files);
      if (record_) recorded[mistake->name] = common(fingerprint(result.run), fingerprint(check(chapter, files).run));
    }
    if (record_) write_fingerprints(chapter, recorded);
    const Fingerprints known = read_fingerprints(chapter);
    for (const Mistake& mistake : mistakes) {
      const CheckResult& result = results.at(mistake.name);
      say(chapter, mistake.name, fault(mistake, result, recognise(result.run, mistakes, known)));
    }
    reference(chapter);  // last, to leave nothing wrong behind
  }

 private:
  static FileTexts references(const Chapter& chapter) {
    FileTexts files;
    for (const ChapterFile& file : chapter.files) files[file.name] = file.reference;
    return files;
  }

  /// Those of one file after each other: to compile another file's reference again takes as long as a mistake.
  static std::vector<const Mistake*> by_file(const std::vector<Mistake>& mistakes) {
    std::vector<const Mistake*> order;
    for (const Mistake& mistake : mistakes) order.push_back(&mistake);
    std::ranges::stable_sort(order, {}, &Mistake::file);
    return order;
  }

  CheckResult check(const Chapter& chapter, const FileTexts& files) {
    return check_files(chapter, files, stage_folder(chapter) / "proved", time_limit_);
  }

  void reference(const Chapter& chapter) {
    const CheckResult result = check(chapter, references(chapter));
    say(chapter, "the reference", result.green() ? "" : fmt::format("does not pass: {}", first_fault(result)));
  }

  void skeletons(const Chapter& chapter) {
    FileTexts files;
    for (const ChapterFile& file : chapter.files) files[file.name] = skeleton(chapter, file);
    const CheckResult result = check(chapter, files);
    std::string fault;
    if (!result.build.succeeded || result.failures > 0 || !result.run.crash.empty())
      fault = first_fault(result);
    else if (result.green())
      fault = "passes";
    say(chapter, "the skeleton", fault);
  }

  static std::string first_fault(const CheckResult& result) {
    if (!result.build.succeeded) return "does not compile: " + result.build.messages.front();
    if (result.run.timed_out) return "does not end";
    if (!result.run.crash.empty()) return "crashes: " + result.run.crash;
    for (const TestCase& test : result.run.cases)
      if (!test.passed && !test.waits())
        for (const Failure& f : test.failures)
          if (!f.not_written()) return fmt::format("{}: {}: {}", test.name, f.expression, f.expanded);
    return "waits";
  }

  static std::string fault(const Mistake& mistake, const CheckResult& result, const Mistake* recognised) {
    if (!result.build.succeeded || result.run.timed_out) return first_fault(result);
    const auto& cases = result.run.cases;
    const auto test = std::ranges::find(cases, mistake.caught_by, &TestCase::name);
    if (result.run.all_passed()) return "is not caught by any test";
    if (test == cases.end()) return fmt::format("there is no test \"{}\"", mistake.caught_by);
    if (test->passed) {
      const auto other = std::ranges::find(cases, false, &TestCase::passed);
      return fmt::format("is caught by \"{}\", not by \"{}\"", other->name, mistake.caught_by);
    }
    if (!recognised) return "is not recognised: " + first_fault(result);
    return recognised->name == mistake.name ? "" : "is taken for " + recognised->name;
  }

  void say(const Chapter& chapter, const std::string& what, const std::string& fault) {
    ++(fault.empty() ? passed_ : failed_);
    fmt::print("{} {}: {}{}\n", fault.empty() ? "ok  " : "FAIL", chapter.folder, what,
               fault.empty() ? "" : ": " + fault);
    std::fflush(stdout);
  }

  double time_limit_;
  bool record_;
  size_t passed_ = 0, failed_ = 0;
};

std::string table(const std::vector<Chapter>& chapters) {
  std::string text =
      "# Mistakes\n\nWrong implementations that cria keeps to prove its tests. Each compiles, is caught by the test "
      "beside it, and "
      "is\nrecognised by name when a learner makes it. Made by `./cria learn prove --table docs/mistakes.md`; "
      "`./cria test workshop`\nproves all of it again.\n";
  for (const Chapter& chapter : chapters) {
    text += fmt::format(
        "\n## {} {}\n\n| mistake | what one notices | what the learner reads | test that catches it "
        "|\n|---|---|---|---|\n",
        chapter.number(), chapter.title);
    const auto cell = [](const std::string& value) {  // a bar would end the cell
      return std::regex_replace(value, std::regex("\\|"), "\\|");
    };
    for (const Mistake& mistake : read_mistakes(chapter))
      text += fmt::format("| [{0}](../chapters/{1}/mistakes/{0}.diff) | {2} | {3} | {4} |\n", mistake.name,
                          chapter.folder, cell(mistake.symptom), cell(mistake.sentence), cell(mistake.caught_by));
  }
  return text;
}

}  // namespace

int run_learn_prove(const LearnOptions& options) {
  const std::vector<Chapter> chapters = all_chapters();
  if (!options.table.empty()) {
    write_file_atomically(options.table, table(chapters));
    return 0;
  }
  Prover prover(options.time_limit, options.record);
  for (const Chapter& chapter : chapters)
    if (options.chapter.empty() || &chapter == &find_chapter(chapters, options.chapter)) prover.prove(chapter);
  fmt::print("{} passed, {} failed\n", prover.passed(), prover.failed());
  return prover.failed() > 0 ? 1 : 0;
}

}  // namespace cria
