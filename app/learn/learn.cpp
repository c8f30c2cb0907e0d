// The commands of the workshop that are about where one is: begin, check, begin anew.
#include "app/learn/learn.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <thread>

#include "app/learn/check.hpp"
#include "app/learn/fault.hpp"
#include "app/learn/progress.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {
namespace fs = std::filesystem;
using namespace learn;
namespace {

void print_state(const Chapter& chapter, const ChapterProgress& progress) {
  const auto text = [&]() -> std::string {
    switch (state(chapter, progress)) {
      case State::not_started:
        return "not started";
      case State::done:
        return fmt::format("done: {} tests pass", progress.total);
      case State::in_progress:
        break;
    }
    if (progress.total == 0) return "in progress: not checked yet";
    const bool changed = progress.checked != files_hash(chapter);
    return fmt::format("in progress: {} of {} tests pass{}", progress.passed, progress.total,
                       changed ? ", changed since" : "");
  };
  fmt::print("  {} {:<22} {}\n", chapter.number(), chapter.title, text());
}

/// What to do now: go on with what is begun, else begin what comes after the last chapter that is done.
std::string next_step(const std::vector<Chapter>& chapters, ProgressFile& progress) {
  const Chapter *before = nullptr, *after = nullptr;  // the first not started, and the first after what is done
  bool any_done = false;
  for (const Chapter& chapter : chapters) {
    const State s = state(chapter, progress.of(chapter));
    if (s == State::in_progress)
      return fmt::format("Next: edit {}, then ./cria learn check {}", shown(learners_file(chapter, chapter.files[0])),
                         chapter.number());
    if (s == State::done) any_done = true, after = nullptr;
    if (s == State::not_started && !before) before = &chapter;
    if (s == State::not_started && !after) after = &chapter;
  }
  if (!before) return "All chapters are yours. Train with them: ./cria learn train";
  return fmt::format("Next: ./cria learn start {}{}", (after ? after : before)->number(),
                     any_done ? "" : "   (any order will do; 03 is a short one to begin with)");
}

void write_skeletons(const Chapter& chapter) {
  for (const ChapterFile& file : chapter.files) {
    const fs::path path = learners_file(chapter, file);
    if (fs::exists(path)) {
      fmt::print("  {} is there already, and stays as it is\n", shown(path));
      continue;
    }
    fs::create_directories(path.parent_path());
    write_file_atomically(path, skeleton(chapter, file));
    std::string names;
    for (const Region& region : file.regions) names += (names.empty() ? "" : ", ") + region.name;
    fmt::print("  {}: write {}\n", shown(path), names);
  }
}

void print_next_steps(const Chapter& chapter) {
  fmt::print(
      "\nRead the lesson:  {0}\nWrite the code:   {1}/\nSee it proven:    ./cria learn check {2}\n"
      "Get a hint:       ./cria learn hint {2}\n",
      shown(source_folder() / chapter.lesson()), shown(workshop_folder() / chapter.folder), chapter.number());
}

/// Runs what failed once more, so that it ends where an index or a pointer goes astray.
void look_for_fault(const Chapter& chapter, const CheckResult& result, double time_limit) {
  fmt::print("\n  The same again, with index checks and sanitizers …\n");
  std::fflush(stdout);
  const std::string fault = find_fault(chapter, workshop_folder() / chapter.folder, result.failed(), time_limit);
  if (fault.empty())
    fmt::print("  It stops nowhere: each index and pointer is where it may be.\n");
  else
    fmt::print("  → {}{}\n", fault, result.mistake ? "   (mend this first: it may be all there is)" : "");
}

int check(const std::vector<Chapter>& chapters, const Chapter& chapter, double time_limit, ProgressFile& progress) {
  const FileTexts files = learners_files(chapter);
  const std::string hash = files_hash(chapter);
  if (!fs::exists(build_folder() / "tests" / fmt::format("test_{}_workshop", chapter.folder)))
    fmt::print("Building the tests of chapter {}; this takes longer the first time only.\n", chapter.number());
  const CheckResult result = check_files(chapter, files, workshop_folder() / chapter.folder, time_limit);
  const int code = report(chapter, result);
  if (!result.run.timed_out && !result.failed().empty()) look_for_fault(chapter, result, time_limit);
  ChapterProgress& p = progress.of(chapter);
  if (result.build.succeeded) {
    p.passed = result.run.passed();
    p.total = result.run.cases.size();
    if (!result.run.all_passed()) p.passed = std::min(p.passed, p.total - std::min<size_t>(p.total, 1));
    p.checked = hash;
    p.suspect = result.suspect;
    progress.save();
  }
  if (code == 0)
    fmt::print(
        "\nDone. See how the reference does it: ./cria learn diff {0}. Train with yours: ./cria learn train\n{1}\n",
        chapter.number(), next_step(chapters, progress));
  else if (result.build.succeeded)
    fmt::print("\nStuck? ./cria learn hint {}{}\n", chapter.number(),
               result.suspect.empty() ? "" : fmt::format("   (about {})", result.suspect));
  return code;
}

}  // namespace

int run_learn(const LearnOptions&) {
  ProgressFile progress;
  const std::vector<Chapter> chapters = all_chapters();
  fmt::print("The workshop: you write each chapter in {}/, and see it proven.\n\n", shown(workshop_folder()));
  for (const Chapter& chapter : chapters) print_state(chapter, progress.of(chapter));
  fmt::print("\n{}\n", next_step(chapters, progress));
  return 0;
}

int run_learn_start(const LearnOptions& options) {
  const std::vector<Chapter> chapters = all_chapters();
  const Chapter& chapter = find_chapter(chapters, options.chapter);
  fmt::print("Chapter {} {}\n", chapter.number(), chapter.title);
  write_skeletons(chapter);
  print_next_steps(chapter);
  return 0;
}

int run_learn_check(const LearnOptions& options) {
  ProgressFile progress;
  const std::vector<Chapter> chapters = all_chapters();
  return check(chapters, chosen_chapter(chapters, options.chapter, progress), options.time_limit, progress);
}

int run_learn_reset(const LearnOptions& options) {
  ProgressFile progress;
  const std::vector<Chapter> chapters = all_chapters();
  const Chapter& chapter = chosen_chapter(chapters, options.chapter, progress);
  if (started(chapter)) {
    const std::time_t now = std::time(nullptr);
    const std::string stem = fmt::format("{}-{:%Y%m%d-%H%M%S}", chapter.folder, fmt::localtime(now));
    fs::path backup = workshop_folder() / "backups" / stem;
    for (int i = 2; fs::exists(backup); ++i) backup = workshop_folder() / "backups" / fmt::format("{}-{}", stem, i);
    fs::create_directories(backup.parent_path());
    fs::rename(workshop_folder() / chapter.folder, backup);
    fmt::print("Your files of chapter {} are now in {}\n", chapter.number(), shown(backup));
  }
  progress.of(chapter) = {};
  progress.save();
  write_skeletons(chapter);
  print_next_steps(chapter);
  return 0;
}

// Looks at the files twice a second: file events do not come through in containers and on network drives.
int run_learn_watch(const LearnOptions& options) {
  ProgressFile progress;
  const std::vector<Chapter> chapters = all_chapters();
  const Chapter& chapter = chosen_chapter(chapters, options.chapter, progress);
  learners_files(chapter);
  for (std::string seen;;) {
    const std::string now = files_hash(chapter);
    if (now != seen) {
      seen = now;
      if (::isatty(STDOUT_FILENO)) fmt::print("\x1b[2J\x1b[H");
      try {
        check(chapters, chapter, options.time_limit, progress);
      } catch (const UserError& error) {  // an editor may have moved the file away for a moment
        fmt::print("{}\n", error.what());
      }
      fmt::print("\nWatching {}; Ctrl-C ends\n", shown(workshop_folder() / chapter.folder));
      std::fflush(stdout);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
}

}  // namespace cria
