// cria learn train: a program with the learner's components in the model, which trains, tells a story, and says what
// it was made of. cria itself builds that program and hands over to it; the program finds its own components.
#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "app/learn/check.hpp"
#include "app/learn/components.hpp"
#include "app/learn/learn.hpp"
#include "app/learn/process.hpp"
#include "app/learn/progress.hpp"
#include "app/learn/stage.hpp"
#include "app/run/sample.hpp"
#include "app/train/train.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {
namespace fs = std::filesystem;
using namespace learn;
namespace {

const fs::path run_folder = fs::path("runs") / "workshop";

/// Of all runs here: the demo's, but with grouped heads, so that what chapter 05 teaches is what runs.
std::string recipe() { return (data_folder() / "stories" / "grouped.yaml").string(); }

/// "RMSNorm: yours · attention: reference", from the marks of what was linked and has run.
std::string origins() {
  std::string text;
  for (const Chapter& chapter : all_chapters()) {
    bool linked = false, ran = true;
    for (const LearnersFile& file : learners_components())
      if (chapter.folder == file.chapter) linked = true, ran = ran && __atomic_load_n(file.ran, __ATOMIC_RELAXED);
    text += fmt::format("{}{}: {}", text.empty() ? "" : " · ", chapter.title,
                        !linked ? "reference"
                        : ran   ? "yours"
                                : "yours, not used here");
  }
  return text;
}

/// Tokens per second of a short training run by one of the two programs, in a folder that goes again.
double speed(const fs::path& program, size_t threads, const fs::path& folder) {
  fs::remove_all(folder);
  const ProcessResult run = run_process({program.string(), "train", "--recipe", recipe(), "--steps", "24", "--threads",
                                         fmt::format("{}", threads), "--out", folder.string(), "--json"});
  fs::remove_all(folder);
  const size_t at = run.output.rfind("\"tokens_per_second\": ");
  return run.succeeded() && at != std::string::npos ? std::stod(run.output.substr(at + 21)) : 0;
}

/// Prints how fast the learner's program trains beside the reference's. Pairs of short runs in turns, and of their
/// ratios the median: what else runs on the machine disturbs both of a pair alike, or one pair only.
void compare_speed(size_t threads, const fs::path& folder) {
  constexpr int pairs = 5;
  constexpr double steady = 1.25;  // the largest ratio may be so many times the smallest
  fmt::print("\nNow its speed beside the reference's: {} pairs of short runs, about a minute …\n", pairs);
  std::fflush(stdout);
  const fs::path reference = build_folder() / "app" / "cria-learn", mine = build_folder() / "app" / "cria-workshop";
  std::vector<double> ratios;
  for (int i = 0; i < pairs; ++i) {
    const double first = speed(i % 2 ? reference : mine, threads, folder);
    const double second = speed(i % 2 ? mine : reference, threads, folder);
    if (first > 0 && second > 0) ratios.push_back(i % 2 ? second / first : first / second);
  }
  if (ratios.empty()) return;
  std::ranges::sort(ratios);
  const double least = 100 * ratios.front(), most = 100 * ratios.back();
  if (most > steady * least)
    fmt::print("Yours runs at {:.0f} to {:.0f} % of its speed: other work disturbs the runs too much to say more.\n",
               least, most);
  else
    fmt::print("Yours runs at {:.0f} % of its speed ({:.0f} to {:.0f} %).\n", 100 * ratios[ratios.size() / 2], least,
               most);
}

int train_with_components(const LearnOptions& options) {
  fmt::print("Of its heads, four of queries share two of keys and values: {}\n", shown(recipe()));
  TrainOptions training;
  training.base = run_folder;
  training.recipe = recipe();
  training.minutes = options.minutes;
  training.threads = options.threads;
  const TrainResult trained = train(training);
  if (trained.stopped) return 0;
  fmt::print("\nWhat it tells:\n\n");
  SampleOptions sample;
  sample.model = trained.folder.string();
  run_sample(sample);
  fmt::print("\n{}\n", origins());

  compare_speed(options.threads, trained.folder / "speed");
  return 0;
}

std::string configured_chapters() {
  std::ifstream cache(build_folder() / "CMakeCache.txt");
  const std::string key = "CRIA_WORKSHOP_CHAPTERS:STRING=";
  for (std::string line; std::getline(cache, line);)
    if (line.starts_with(key)) return line.substr(key.size());
  return "";
}

}  // namespace

int run_learn_train(const LearnOptions& options) {
  if (!learners_components().empty()) return train_with_components(options);
  require_minutes(options.minutes);
  ProgressFile progress;
  const std::vector<Chapter> chapters = all_chapters();
  std::string done;
  const Chapter* one = nullptr;
  for (const Chapter& chapter : chapters) {
    const State s = state(chapter, progress.of(chapter));
    if (s == State::in_progress)
      fmt::print("{} {} does not pass its tests yet, so the reference stands in for it.\n", chapter.number(),
                 chapter.title);
    if (s != State::done) continue;
    one = &chapter;
    done += (done.empty() ? "" : ";") + chapter.folder;
    for (const auto& [name, text] : learners_files(chapter))
      stage(chapter, chapter.file(name), text, workshop_folder() / chapter.folder / name);
  }
  if (!one) throw UserError("no chapter of yours passes its tests yet; ./cria learn shows where you are");
  fmt::print("Building a program with your components.\n");
  if (configured_chapters() != done) {
    const BuildLock lock(build_folder());
    const ProcessResult run = run_process({"cmake", "-DCRIA_WORKSHOP_CHAPTERS=" + done, build_folder().string()});
    if (!run.succeeded()) throw UserError("cannot configure the build: " + run.output);
  }
  const BuildResult build = build_target("cria_learn_workshop", *one, workshop_folder() / one->folder);
  if (!build.succeeded)
    throw UserError(fmt::format("the program could not be built: {}; see {}",
                                build.messages.empty() ? "" : build.messages.front(), shown(build.log)));
  const std::string program = (build_folder() / "app" / "cria-workshop").string();
  const std::string minutes = fmt::format("{}", options.minutes), threads = fmt::format("{}", options.threads);
  std::fflush(nullptr);
  ::execl(program.c_str(), program.c_str(), "learn", "train", "--minutes", minutes.c_str(), "--threads",
          threads.c_str(), static_cast<char*>(nullptr));
  throw UserError("cannot run " + program);
}

}  // namespace cria
