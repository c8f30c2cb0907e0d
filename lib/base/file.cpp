// Writing files; file_read.cpp reads them.
#include "lib/base/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>
#include <system_error>

#include "lib/base/check.hpp"

namespace cria {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path) {
  throw UserError(fmt::format("cannot write {}: {}", path.string(), std::strerror(errno)));
}

// Closes the descriptor on every path out.
struct Descriptor {
  int number;
  explicit Descriptor(int n) : number(n) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
};

// Removes what processes left that were killed while they wrote this file or folder: NAME.PID.tmp where no PID runs any
// more. A number that another process has got since keeps its file until that one ends, too.
void remove_abandoned(const std::filesystem::path& path) {
  const std::string prefix = path.filename().string() + ".", suffix = ".tmp";
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  std::error_code ignored;  // what cannot be listed or removed does no harm to the file that is to be written
  for (std::filesystem::directory_iterator entry(folder, ignored), end; entry != end; entry.increment(ignored)) {
    const std::string name = entry->path().filename().string();
    if (name.size() <= prefix.size() + suffix.size() || !name.starts_with(prefix) || !name.ends_with(suffix)) continue;
    const char *first = name.data() + prefix.size(), *last = name.data() + name.size() - suffix.size();
    pid_t process = 0;
    if (const auto [stop, error] = std::from_chars(first, last, process); error != std::errc{} || stop != last)
      continue;
    if (process > 0 && ::kill(process, 0) != 0 && errno == ESRCH) std::filesystem::remove_all(entry->path(), ignored);
  }
}

// Where a link leads, and a link to a link, whether a file is there or not.
std::filesystem::path followed(const std::filesystem::path& path) {
  std::error_code ignored;
  std::filesystem::path end = path;
  for (int links = 0; links < 40; ++links) {  // no more than the system would follow
    if (!std::filesystem::is_symlink(end, ignored)) return end;
    end = end.parent_path() / std::filesystem::read_symlink(end, ignored);
  }
  errno = ELOOP;
  fail(path);
}

void sync_folder(const std::filesystem::path& folder) {
  Descriptor descriptor(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY));
  if (descriptor.number >= 0) ::fsync(descriptor.number);  // makes the rename itself survive a power cut
}

}  // namespace

std::filesystem::path data_folder() {
  if (const char* folder = std::getenv("CRIA_DATA")) return folder;
  for (const char* folder : {CRIA_SOURCE_DATA, CRIA_INSTALLED_DATA})
    if (std::filesystem::exists(folder)) return folder;
  throw UserError("cannot find cria's data folder: set CRIA_DATA to the folder data/ of the source tree");
}

std::string last_name(const std::filesystem::path& path) {
  const std::filesystem::path whole = std::filesystem::absolute(path).lexically_normal();
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

void write_file_atomically(const std::filesystem::path& path, std::string_view bytes) {
  write_file_atomically(path, [&](const WriteBytes& write) { write(bytes); });
}

void write_file_atomically(const std::filesystem::path& name, const std::function<void(const WriteBytes&)>& produce) {
  // A device such as /dev/stdout is written to; renaming a file over it would replace it.
  std::error_code unknown;  // what cannot be looked at cannot be opened either, which says why
  const auto status = std::filesystem::status(name, unknown);
  const bool in_place = std::filesystem::exists(status) && !std::filesystem::is_regular_file(status);
  const std::filesystem::path path = in_place ? name : followed(name);
  std::filesystem::path temporary = path;
  if (!in_place) {
    remove_abandoned(path);
    temporary += fmt::format(".{}.tmp", ::getpid());
  }
  try {
    Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (file.number < 0) fail(path);
    produce([&](std::string_view bytes) {
      while (!bytes.empty()) {
        const ssize_t written = ::write(file.number, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail(path);
        bytes.remove_prefix(static_cast<size_t>(written));
      }
    });
    if (in_place) return;
    if (::fsync(file.number) != 0) fail(path);
    if (::rename(temporary.c_str(), path.c_str()) != 0) fail(path);
  } catch (...) {
    if (!in_place) ::unlink(temporary.c_str());
    throw;
  }
  sync_folder(path.parent_path());
}

void write_folder_atomically(const std::filesystem::path& path,
                             const std::function<void(const std::filesystem::path&)>& produce) {
  namespace fs = std::filesystem;
  const fs::path folder = path.has_filename() ? path : path.parent_path();  // "out/" is "out"
  const auto beside = [&](const char* ending) {
    return fs::path(fmt::format("{}.{}.{}", folder.string(), ::getpid(), ending));
  };
  const fs::path temporary = beside("tmp"), old = beside("old");
  std::error_code error;
  if (folder.has_parent_path()) fs::create_directories(folder.parent_path(), error);
  remove_abandoned(folder);
  try {
    if (::mkdir(temporary.c_str(), 0755) != 0) fail(folder);
    produce(temporary);
    sync_folder(temporary);
    const bool replaces = ::rename(folder.c_str(), old.c_str()) == 0;
    if (!replaces && errno != ENOENT) fail(folder);
    if (::rename(temporary.c_str(), folder.c_str()) != 0) {
      const int reason = errno;
      if (replaces) ::rename(old.c_str(), folder.c_str());
      errno = reason;
      fail(folder);
    }
  } catch (...) {
    fs::remove_all(temporary, error);
    throw;
  }
  sync_folder(folder.parent_path());
  fs::remove_all(old, error);
}

}  // namespace cria
