// Chapter 11, a run's folder.
#include "chapters/11-pretraining/run_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

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
  if (!kept_models(folder).empty())
    return fmt::format("{} holds the kept models of a run; another --out begins a new one", folder.string());
  std::error_code ignored;
  for (const char* name : {"config.json", "tokenizer.json"})
    if (fs::exists(folder / name) && !fs::exists(folder / lock_file) &&
        !(fs::equivalent(folder, tokenizer, ignored) || fs::equivalent(folder / name, tokenizer, ignored)))
      return fmt::format("{} holds a {} that this run would replace; choose another --out", folder.string(), name);
  return std::nullopt;
}

// A second name where the file system can do that, and else a copy: these files are only ever replaced, not changed.
void link_file(const fs::path& from, const fs::path& to) {
  std::error_code failed;
  const fs::path next = to.string() + ".tmp";
  fs::remove(next, failed);
  fs::create_hard_link(fs::canonical(from), next, failed);  // of the file itself, where `from` is a link to it
  if (!failed) return fs::rename(next, to);
  InputFile file(from);
  std::string bytes;
  write_file_atomically(to, [&](const WriteBytes& write) {
    for (; file.read(size_t{1} << 20, bytes) > 0; bytes.clear()) write(bytes);
  });
}

// All files of a model that are there.
void link_model(const fs::path& from, const fs::path& to) {
  fs::create_directories(to);
  for (const char* name : {"config.json", "tokenizer.json", "tokenizer_config.json", "recipe.yaml",
                           "adapter_config.json", "adapter_model.safetensors", "model.safetensors"}) {
    std::error_code failed;
    if (fs::exists(from / name) && !fs::equivalent(from / name, to / name, failed)) link_file(from / name, to / name);
  }
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

void RunFolder::keep_best() const { link_model(path_, path_ / best_folder); }

void RunFolder::keep_step(size_t step) const {
  const fs::path kept = path_ / steps_folder / fmt::format("{:06}", step);
  if (fs::exists(kept)) return;  // before a resume
  write_folder_atomically(kept, [&](const fs::path& folder) { link_model(path_, folder); });
}

std::map<size_t, fs::path> kept_models(const fs::path& run) {
  std::map<size_t, fs::path> kept;
  if (!fs::is_directory(run / steps_folder)) return kept;
  for (const fs::directory_entry& entry : fs::directory_iterator(run / steps_folder)) {
    const std::string name = entry.path().filename().string();
    size_t step = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), step);
    if (error == std::errc() && end == name.data() + name.size() && entry.is_directory()) kept[step] = entry.path();
  }
  return kept;
}

}  // namespace cria
