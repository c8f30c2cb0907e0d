#include "lib/base/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

#include "lib/base/check.hpp"

namespace cria {
namespace {

[[noreturn]] void fail(const char* action, const std::filesystem::path& path) {
  throw UserError(fmt::format("cannot {} {}: {}", action, path.string(), std::strerror(errno)));
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

// Removes what processes left that were killed while they wrote this file: NAME.PID.tmp where no PID runs any more. A
// number that another process has got since keeps its file until that one ends, too.
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
    if (process > 0 && ::kill(process, 0) != 0 && errno == ESRCH) std::filesystem::remove(entry->path(), ignored);
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
  fail("write", path);
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

std::string read_file(const std::filesystem::path& path) {
  const MappedFile file(path);
  return std::string(file.text());
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
    if (file.number < 0) fail("write", path);
    produce([&](std::string_view bytes) {
      while (!bytes.empty()) {
        const ssize_t written = ::write(file.number, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail("write", path);
        bytes.remove_prefix(static_cast<size_t>(written));
      }
    });
    if (in_place) return;
    if (::fsync(file.number) != 0) fail("write", path);
    if (::rename(temporary.c_str(), path.c_str()) != 0) fail("write", path);
  } catch (...) {
    if (!in_place) ::unlink(temporary.c_str());
    throw;
  }
  sync_folder(path.parent_path());
}

MappedFile::MappedFile(const std::filesystem::path& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (file.number < 0 || ::fstat(file.number, &status) != 0) fail("read", path);
  if (!S_ISREG(status.st_mode)) throw UserError(fmt::format("cannot read {}: it is not a regular file", path.string()));
  size_ = static_cast<size_t>(status.st_size);
  if (size_ == 0) return;  // an empty mapping is not allowed; an empty span is
  void* memory = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.number, 0);
  if (memory == MAP_FAILED) fail("map", path);
  data_ = static_cast<const std::byte*>(memory);
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::release(std::span<const std::byte> part) const {
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const auto offset = static_cast<size_t>(part.data() - data_);
  const size_t begin = (offset + page - 1) / page * page, end = (offset + part.size()) / page * page;
  if (begin < end) ::madvise(const_cast<std::byte*>(data_) + begin, end - begin, MADV_DONTNEED);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace cria
