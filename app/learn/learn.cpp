// The commands of the workshop, except for training and proving.
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
#include "app/learn/hints.hpp"
#include "app/learn/process.hpp"
#include "app/learn/progress.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {
namespace fs = std::filesystem;
using namespace learn;
namespace {

/// The chapter that was asked for, else the first one that is begun and not done.
const Chapter& chosen(const std::vector<Chapter>& chapters, const LearnOptions& options, ProgressFile& progress) {
  if (!options.chapter.empty()) return find_chapter(chapters, options.chapter);
  for (const Chapter& chapter : chapters)
    if (state(chapter, progress.of(chapter)) == State::in_progress) return chapter;
  throw UserError("no chapter is under way; name one, as in ./cria learn start 03");
}

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

int check(const Chapter& chapter, double time_limit, ProgressFile& progress) {
  const FileTexts files = learners_files(chapter);
  const std::string hash = files_hash(chapter);
  if (!fs::exists(build_folder() / "tests" / fmt::format("test_{}_workshop", chapter.folder)))
    fmt::print("Building the tests of chapter {}; this takes longer the first time only.\n", chapter.number());
  const CheckResult result =
      check_files(chapter, files, workshop_folder() / chapter.folder, time_limit, /*explain_crash=*/true);
  const int code = report(chapter, result);
  ChapterProgress& p = progress.of(chapter);
  if (result.build.succeeded) {
    p.passed = result.run.passed();
    p.total = result.run.cases.size();
    if (!result.run.all_passed()) p.passed = std::min(p.passed, p.total - std::min<size_t>(p.total, 1));
    p.checked = hash;
    progress.save();
  }
  if (code == 0)
    fmt::print("\nDone. See how the reference does it: ./cria learn diff {0}. Train with yours: ./cria learn train\n",
               chapter.number());
  else if (result.build.succeeded)
    fmt::print("\nStuck? ./cria learn hint {}\n", chapter.number());
  return code;
}

/// The region that a hint is wanted for: the first that is still a stub, else the first with hints left.
const Hints& hinted(const Chapter& chapter, const std::vector<Hints>& hints, const std::string& wanted,
                    ChapterProgress& progress) {
  if (!wanted.empty()) {
    const auto found = std::ranges::find(hints, wanted, &Hints::region);
    if (found != hints.end()) return *found;
    std::string known;
    for (const Hints& h : hints) known += (known.empty() ? "" : ", ") + h.region;
    throw UserError(fmt::format("chapter {} has no {} to write, only {}", chapter.number(), wanted, known));
  }
  for (const auto& [name, text] : learners_files(chapter))
    for (const Region& region : chapter.file(name).regions)
      if (text.find(fmt::format("\"{}\"", chapter.not_written(region.name))) != text.npos)
        return *std::ranges::find(hints, region.name, &Hints::region);
  for (const Hints& h : hints)
    if (progress.hints[h.region] < h.levels.size()) return h;
  return hints.front();
}

}  // namespace

int run_learn(const LearnOptions&) {
  ProgressFile progress;
  const std::vector<Chapter> chapters = all_chapters();
  fmt::print("The workshop: you write each chapter in {}/, and see it proven.\n\n", shown(workshop_folder()));
  const Chapter *open = nullptr, *fresh = nullptr;
  for (const Chapter& chapter : chapters) {
    print_state(chapter, progress.of(chapter));
    const State s = state(chapter, progress.of(chapter));
    if (s == State::in_progress && !open) open = &chapter;
    if (s == State::not_started && !fresh) fresh = &chapter;
  }
  if (open)
    fmt::print("\nNext: edit {}, then ./cria learn check {}\n", shown(learners_file(*open, open->files.front())),
               open->number());
  else if (fresh)
    fmt::print("\nNext: ./cria learn start {}   (any order will do; 03 is a short one to begin with)\n",
               fresh->number());
  else
    fmt::print("\nAll chapters are yours. Train with them: ./cria learn train\n");
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
  return check(chosen(chapters, options, progress), options.time_limit, progress);
}

int run_learn_hint(const LearnOptions& options) {
  ProgressFile progress;
  const std::vector<Chapter> chapters = all_chapters();
  const Chapter& chapter = chosen(chapters, options, progress);
  const std::vector<Hints> all = read_hints(chapter);
  ChapterProgress& p = progress.of(chapter);
  const Hints& hints = hinted(chapter, all, options.region, p);
  size_t& shown_levels = p.hints[hints.region];
  shown_levels = std::min(shown_levels + 1, hints.levels.size());
  progress.save();
  fmt::print("{} {}, hint {} of {}\n\n", chapter.number(), hints.region, shown_levels, hints.levels.size());
  fmt::print("{}\n", trim(hints.levels[shown_levels - 1]));
  if (shown_levels < hints.levels.size())
    fmt::print("\nMore: ./cria learn hint {} {}\n", chapter.number(), hints.region);
  else
    fmt::print("\nThat was the last one. The reference beside yours: ./cria learn diff {} --now\n", chapter.number());
  return 0;
}

int run_learn_diff(const LearnOptions& options) {
  ProgressFile progress;
  const std::vector<Chapter> chapters = all_chapters();
  const Chapter& chapter = chosen(chapters, options, progress);
  learners_files(chapter);  // says what is missing
  if (!options.now && state(chapter, progress.of(chapter)) != State::done)
    throw UserError(
        fmt::format("chapter {0} does not pass its tests yet; ./cria learn diff {0} --now shows the "
                    "reference all the same",
                    chapter.number()));
  for (const ChapterFile& file : chapter.files) {
    const fs::path theirs = learners_file(chapter, file);
    fmt::print("── yours: {} │ the reference: chapters/{}/{}\n", shown(theirs), chapter.folder, file.name);
    const char* columns = std::getenv("COLUMNS");
    run_process({"diff", "--side-by-side", "--expand-tabs", "--width", columns ? columns : "160", theirs.string(),
                 (source_folder() / "chapters" / chapter.folder / file.name).string()},
                {.show = true});
  }
  return 0;
}

int run_learn_reset(const LearnOptions& options) {
  ProgressFile progress;
  const std::vector<Chapter> chapters = all_chapters();
  const Chapter& chapter = chosen(chapters, options, progress);
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
  const Chapter& chapter = chosen(chapters, options, progress);
  learners_files(chapter);
  for (std::string seen;;) {
    const std::string now = files_hash(chapter);
    if (now != seen) {
      seen = now;
      if (::isatty(STDOUT_FILENO)) fmt::print("\x1b[2J\x1b[H");
      try {
        check(chapter, options.time_limit, progress);
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
