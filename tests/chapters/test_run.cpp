// Chapter 11, the life of a run, with a trainee that is one number: killed at every call that changes a file, on a full
// disk, with two processes in one folder.
#include "chapters/11-pretraining/run.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <sstream>

#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;
namespace fs = std::filesystem;

namespace {

// What the system calls below do once so many more of them have been made.
enum class Fault { none, kill, full_disk };
Fault fault = Fault::none;
size_t calls_before_fault = 0;
bool has_links = true;  // the file system

bool fault_now() {
  if (fault == Fault::none) return false;
  if (calls_before_fault > 0) return --calls_before_fault, false;
  if (fault == Fault::kill) ::kill(::getpid(), SIGKILL);
  return true;
}

}  // namespace

// In place of the C library's, for this program and all that is linked into it.
extern "C" {
ssize_t write(int file, const void* bytes, size_t count) {
  if (fault_now()) return errno = ENOSPC, -1;
  const iovec part{const_cast<void*>(bytes), count};
  return ::writev(file, &part, 1);
}
int rename(const char* from, const char* to) {
  if (fault_now()) return errno = ENOSPC, -1;
  return ::renameat(AT_FDCWD, from, AT_FDCWD, to);
}
int link(const char* from, const char* to) {
  if (fault_now()) return errno = ENOSPC, -1;
  if (!has_links) return errno = EPERM, -1;
  return ::linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}
}

namespace {

/// A number that each step adds to. Its losses on what is held out are as given, for one step after the other.
class Number : public Trainee {
 public:
  explicit Number(std::vector<double> losses) : losses_(std::move(losses)) {}

  void step(double share, Progress& progress) override {
    value_ = value_ * 3 + 1;
    progress.loss = double(value_ % 100);
    progress.learning_rate = share;
    ++steps_;
  }
  void validate(Progress& progress) override {
    if (!losses_.empty()) progress.validation_loss = losses_[steps_ - 1];
  }
  bool is_finite() override { return true; }
  std::string remedy() const override { return "another number"; }
  double tokens_per_step() const override { return 1; }
  void write_description(const fs::path& folder) override { write_file_atomically(folder / "config.json", "a number"); }
  void write_checkpoint(const fs::path& file, const TrainingState& state) override {
    write_file_atomically(file,
                          fmt::format("{} {} {} {}", state.step, value_, state.best_loss.value_or(0), state.best_step));
  }
  void write_weights(const fs::path& folder) override {
    write_file_atomically(folder / "model.safetensors", fmt::format("{}", value_));
  }

  TrainingState read(const fs::path& file) {
    TrainingState state;
    double best = 0;
    std::istringstream(read_file(file)) >> state.step >> value_ >> best >> state.best_step;
    if (state.best_step > 0) state.best_loss = best;
    steps_ = state.step;
    return state;
  }

 private:
  std::vector<double> losses_;
  size_t steps_ = 0;
  std::uint64_t value_ = 0;
};

const std::vector<double> losses = {9, 8, 3, 4, 5, 2, 6, 7};  // the lowest at a validation, every second step, is of 6

struct Outcome {
  RunResult result;
  std::vector<std::string> warnings;
};

/// Begins the run in the folder, or goes on with it, as the command does.
Outcome train(const fs::path& path, RunOptions options, const std::vector<double>& held_out = losses) {
  Number number(held_out);
  Outcome outcome;
  TrainingState state;
  if (fs::exists(path / checkpoint_file)) state = number.read(path / checkpoint_file);
  options.evaluations = 4;
  options.warn = [&](const std::string& message) { outcome.warnings.push_back(message); };
  outcome.result = run(number, state, options, [](const Progress&) {});
  return outcome;
}

RunFolder claim(const fs::path& path) {
  return fs::exists(path / checkpoint_file) ? RunFolder::to_resume(path) : RunFolder::for_new_run(path);
}

Outcome train(const fs::path& path) {
  const RunFolder folder = claim(path);
  return train(path, {.folder = folder, .goal = {.steps = 8}, .keep_every = 6});
}

std::vector<size_t> logged_steps(const fs::path& log) {
  std::vector<size_t> steps;
  std::istringstream lines(read_file(log));
  for (std::string line; std::getline(lines, line);) {
    REQUIRE(line.starts_with("{\"step\": "));
    REQUIRE(line.ends_with("}"));
    steps.push_back(std::stoul(line.substr(9)));
  }
  return steps;
}

const std::vector<size_t> all_steps = {1, 2, 3, 4, 5, 6, 7, 8};

}  // namespace

TEST_CASE("a run killed at any call that changes a file goes on, and ends as if it never had been") {
  const TemporaryFolder whole;
  train(whole.path());
  size_t kills = 0;
  for (bool killed = true; killed; ++kills) {
    const TemporaryFolder folder;
    const pid_t child = ::fork();
    if (child == 0) {
      fault = Fault::kill, calls_before_fault = kills;
      train(folder.path());
      ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    killed = WIFSIGNALED(status);
    CAPTURE(kills);
    REQUIRE((killed || WEXITSTATUS(status) == 0));
    CHECK(train(folder.path()).result.finished);
    CHECK(logged_steps(folder / "log.jsonl") == all_steps);
    for (const char* name : {"config.json", "model.safetensors", "training.safetensors", "best/model.safetensors",
                             "steps/000006/model.safetensors"})
      CHECK(read_file(folder / name) == read_file(whole / name));
  }
  CHECK(kills > 30);  // 8 lines of the log, 4 saves, and more
}

TEST_CASE("a disk that is full at any call leaves a folder from which the run goes on") {
  const TemporaryFolder whole;
  train(whole.path());
  size_t failures = 0, ended = 0;
  for (bool failed = true; failed; ++failures) {
    const TemporaryFolder folder;
    std::vector<std::string> warnings;
    fault = Fault::full_disk, calls_before_fault = failures;
    try {
      warnings = train(folder.path()).warnings;
    } catch (const UserError&) {
      ++ended;
    } catch (const fs::filesystem_error&) {
      ++ended;
    }
    failed = calls_before_fault == 0;
    fault = Fault::none;
    CAPTURE(failures);
    CHECK(train(folder.path()).result.finished);
    CHECK(read_file(folder / "model.safetensors") == read_file(whole / "model.safetensors"));
    CHECK(read_file(folder / "best/model.safetensors") == read_file(whole / "best/model.safetensors"));
  }
  CHECK(ended > 10);
}

TEST_CASE("a log that cannot be written is said once, and the run goes on") {
  if (::access("/dev/full", W_OK) != 0) return;
  const TemporaryFolder folder;
  const RunFolder claimed = claim(folder.path());
  const Outcome outcome = train(folder.path(), {.folder = claimed, .goal = {.steps = 8}, .log = "/dev/full"});
  CHECK(outcome.result.finished);
  CHECK(outcome.warnings ==
        std::vector<std::string>{"cannot write the log /dev/full: No space left on device; the run goes on"});
}

TEST_CASE("lines of the log that found no room are written when there is some again") {
  const TemporaryFolder folder;
  const fs::path file = folder / "log.jsonl";
  std::vector<std::string> warnings;
  RunLog log(file, 0, [&](const std::string& message) { warnings.push_back(message); });
  for (size_t step = 1; step <= 8; ++step) {
    fault = step == 3 || step == 4 ? Fault::full_disk : Fault::none;
    log.add({.step = step});
    fault = Fault::none;
  }
  CHECK(logged_steps(file) == all_steps);
  CHECK(warnings.size() == 1);
}

TEST_CASE("the best model by validation is kept beside the last") {
  const TemporaryFolder folder;
  const TrainingState state = train(folder.path()).result.state;
  CHECK(state.best_step == 6);
  CHECK(state.best_loss == 2);
  CHECK(read_file(folder / "best/model.safetensors") == "364");  // (3^6 - 1) / 2
  CHECK(read_file(folder / "model.safetensors") == "3280");      // (3^8 - 1) / 2
  CHECK(read_file(folder / "best/config.json") == "a number");
  for (const auto& entry : fs::directory_iterator(folder / best_folder)) CHECK(entry.path().extension() != ".tmp");

  const TemporaryFolder without;
  const RunFolder claimed = claim(without.path());
  train(without.path(), {.folder = claimed, .goal = {.steps = 8}}, {});  // nothing is held out
  CHECK_FALSE(fs::exists(without / best_folder));
}

TEST_CASE("a run keeps the models of the steps that it is asked for, and nothing else of them") {
  const TemporaryFolder folder;
  {
    const RunFolder claimed = claim(folder.path());
    train(folder.path(), {.folder = claimed, .goal = {.steps = 8}, .keep_every = 3});
  }
  const auto kept = kept_models(folder.path());
  REQUIRE(kept.size() == 2);
  CHECK(kept.at(3) == folder / "steps/000003");
  CHECK(read_file(kept.at(3) / "model.safetensors") == "13");   // (3^3 - 1) / 2
  CHECK(read_file(kept.at(6) / "model.safetensors") == "364");  // (3^6 - 1) / 2
  CHECK(read_file(kept.at(6) / "config.json") == "a number");
  for (const auto& entry : fs::recursive_directory_iterator(folder / steps_folder))
    CHECK(entry.path().extension() != ".tmp");

  for (const char* name : {"12x", "000009.tmp", "-1"}) fs::create_directories(folder / steps_folder / name);
  std::ofstream(folder / "steps/000012") << "no folder";
  CHECK(kept_models(folder.path()).size() == 2);
  CHECK(kept_models(folder / "none").empty());

  for (const char* name : {checkpoint_file, "model.safetensors"}) fs::remove(folder / name);
  CHECK_THROWS_WITH(RunFolder::for_new_run(folder.path()), contains("holds the kept models of a run"));
}

TEST_CASE("kept models are copies where files cannot have a second name, and of a link's file where the model is one") {
  const TemporaryFolder folder, elsewhere;
  const auto kept_at = [&](size_t step) { return kept_models(folder.path()).at(step) / "model.safetensors"; };
  {
    const RunFolder claimed = claim(folder.path());
    fs::create_symlink(elsewhere / "model", folder / "model.safetensors");
    has_links = false;
    train(folder.path(), {.folder = claimed, .goal = {.steps = 3}, .keep_every = 3});
    has_links = true;
  }
  CHECK(read_file(kept_at(3)) == "13");
  CHECK(fs::hard_link_count(kept_at(3)) == 1);
  const RunFolder resumed = RunFolder::to_resume(folder.path());
  train(folder.path(), {.folder = resumed, .goal = {.steps = 8}, .keep_every = 3});
  CHECK(read_file(kept_at(3)) == "13");
  CHECK_FALSE(fs::is_symlink(kept_at(6)));
  CHECK(read_file(kept_at(6)) == "364");
}

TEST_CASE("a run is saved after so much time, too") {
  const TemporaryFolder folder;
  const RunFolder claimed = claim(folder.path());
  for (const double minutes : {1e-12, 5.0}) {
    fs::remove(folder / checkpoint_file);
    Number number({});
    std::vector<size_t> saved;
    run(number, {}, {.folder = claimed, .goal = {.steps = 8}, .evaluations = 2, .save_minutes = minutes},
        [&](const Progress&) {
          saved.push_back(fs::exists(folder / checkpoint_file) ? Number({}).read(folder / checkpoint_file).step : 0);
        });
    CHECK(saved == (minutes < 1 ? all_steps : std::vector<size_t>{0, 0, 0, 4, 4, 4, 4, 8}));
  }
}

TEST_CASE("one run at a time has a folder, and the next one finds out at once") {
  const TemporaryFolder folder;
  const fs::path path = folder / "run";
  {
    const RunFolder first = RunFolder::for_new_run(path);
    CHECK_THROWS_WITH(RunFolder::for_new_run(path), contains("another process is training in " + path.string()));
    CHECK(RunFolder::for_new_run_beside(path).path() == path.string() + "-2");
    std::ofstream(first / checkpoint_file) << "1 1 0 0";
    CHECK_THROWS_WITH(RunFolder::to_resume(path), contains("another process is training in " + path.string()));
  }
  CHECK_NOTHROW(RunFolder::to_resume(path));
  CHECK_THROWS_WITH(RunFolder::for_new_run(path), contains("holds a training run already"));
  CHECK_THROWS_WITH(RunFolder::to_resume(folder / "none"), contains("holds no checkpoint to resume from"));
  CHECK_FALSE(fs::exists(folder / "none"));
}

TEST_CASE("a folder is claimed until its process is killed") {
  const TemporaryFolder folder;
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const RunFolder claimed = claim(folder.path());
    [[maybe_unused]] const ssize_t told = ::write(ready[1], "!", 1);
    for (;;) ::pause();
  }
  char byte;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  CHECK_THROWS_WITH(claim(folder.path()), contains("another process is training"));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK_NOTHROW(claim(folder.path()));
}

TEST_CASE("a folder in which nothing was begun is as it was") {
  const TemporaryFolder folder;
  { const RunFolder claimed = claim(folder / "new"); }
  CHECK_FALSE(fs::exists(folder / "new"));
  fs::create_directory(folder / "old");
  { const RunFolder claimed = claim(folder / "old"); }
  CHECK(fs::is_empty(folder / "old"));
}

TEST_CASE("a new run replaces no model, and no part of one") {
  const TemporaryFolder folder;
  std::ofstream(folder / "tokenizer.json") << "{}";
  CHECK_THROWS_WITH(RunFolder::for_new_run(folder.path()),
                    contains("holds a tokenizer.json that this run would replace"));
  CHECK_NOTHROW(RunFolder::for_new_run(folder.path(), folder.path()));  // it is the one that the run uses
  std::ofstream(folder / "model.safetensors") << "weights";
  CHECK_THROWS_WITH(RunFolder::for_new_run(folder.path(), folder.path()), contains("holds a model already"));
}
