// Chapter 11, a run's folder.
#include "chapters/11-pretraining/run_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

#include "lib/base/check.hpp"

namespace cria {
namespace {

namespace fs = std::filesystem;

constexpr const char* lock_file = "run.lock";

// What a new run would replace. Where a run was begun, run.lock stands, and the rest is only what it began with.
std::optional<std::string> what_it_holds(const fs::path& folder, const fs::path& tokenizer = {}) {
  if (fs::exists(folder / checkpoint_file))
    return fmt::format("{} holds a training run already; --resume goes on with it, another --out begins a new one",
                       folder.string());
  if (fs::exists(folder / "model.safetensors") || fs::exists(folder / "adapter_model.safetensors"))
    return fmt::format("{} holds a model already; another --out begins a new one", folder.string());
  std::error_code ignored;
  for (const char* name : {"config.json", "tokenizer.json"})
    if (fs::exists(folder / name) && !fs::exists(folder / lock_file) &&
        !(fs::equivalent(folder, tokenizer, ignored) || fs::equivalent(folder / name, tokenizer, ignored)))
      return fmt::format("{} holds a {} that this run would replace; choose another --out", folder.string(), name);
  return std::nullopt;
}

[[noreturn]] void refuse_claimed(const fs::path& folder) {
  throw UserError(
      fmt::format("another process is training in {}; wait for its end, or choose another --out", folder.string()));
}

}  // namespace

RunFolder::RunFolder(const fs::path& path) : path_(path) { made_here_ = fs::create_directories(path); }

RunFolder::RunFolder(RunFolder&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)), made_here_(other.made_here_) {}

RunFolder::~RunFolder() {
  if (lock_ < 0) return;
  std::error_code ignored;
  if (std::distance(fs::directory_iterator(path_, ignored), {}) == 1) {  // run.lock alone
    fs::remove(path_ / lock_file, ignored);
    if (made_here_) fs::remove(path_, ignored);
  }
  ::close(lock_);
}

// False when another process has it. A lock file that its owner removed meanwhile is no claim: then once more.
bool RunFolder::claim() {
  const fs::path file = path_ / lock_file;
  const auto fail = [&] { throw UserError(fmt::format("cannot write {}: {}", file.string(), std::strerror(errno))); };
  for (;;) {
    lock_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (lock_ < 0) fail();
    if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
      const int reason = errno;
      if (reason == EWOULDBLOCK) {
        ::close(std::exchange(lock_, -1));
        return false;
      }
      // Some network file systems have no locks; there the user has to see to it.
      if (reason != ENOLCK && reason != EOPNOTSUPP && reason != ENOSYS) fail();
    }
    struct stat mine {
    }, named{};
    if (::fstat(lock_, &mine) == 0 && ::stat(file.c_str(), &named) == 0 && mine.st_ino == named.st_ino &&
        mine.st_dev == named.st_dev)
      return true;
    ::close(std::exchange(lock_, -1));
    fs::create_directories(path_);
  }
}

RunFolder RunFolder::for_new_run(const fs::path& path, const fs::path& tokenizer) {
  if (const auto held = what_it_holds(path, tokenizer)) throw UserError(*held);
  RunFolder folder(path);
  if (!folder.claim()) refuse_claimed(path);
  if (const auto held = what_it_holds(path)) throw UserError(*held);  // another run was quicker, and has ended
  return folder;
}

RunFolder RunFolder::for_new_run_beside(const fs::path& base) {
  for (size_t i = 1;; ++i) {
    const fs::path path = i == 1 ? base : fs::path(base.string() + fmt::format("-{}", i));
    if (what_it_holds(path)) continue;
    RunFolder folder(path);
    if (folder.claim() && !what_it_holds(path)) return folder;
  }
}

RunFolder RunFolder::to_resume(const fs::path& path) {
  if (!fs::exists(path / checkpoint_file))
    throw UserError(
        fmt::format("{} holds no checkpoint to resume from: expected {} in it", path.string(), checkpoint_file));
  RunFolder folder(path);
  if (!folder.claim()) refuse_claimed(path);
  return folder;
}

void RunFolder::keep_best() const {
  const fs::path best = path_ / best_folder;
  fs::create_directories(best);
  for (const char* name : {"config.json", "tokenizer.json", "tokenizer_config.json", "recipe.yaml",
                           "adapter_config.json", "adapter_model.safetensors", "model.safetensors"}) {
    std::error_code failed;
    if (!fs::exists(path_ / name) || fs::equivalent(path_ / name, best / name, failed)) continue;
    const fs::path next = best / (std::string(name) + ".tmp");
    fs::remove(next, failed);
    fs::create_hard_link(path_ / name, next, failed);
    if (failed) fs::copy_file(path_ / name, next);
    fs::rename(next, best / name);
  }
}

}  // namespace cria
