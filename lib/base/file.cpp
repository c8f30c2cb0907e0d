#include "lib/base/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
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

void write_file_atomically(const std::filesystem::path& path, const std::function<void(const WriteBytes&)>& produce) {
  // A device such as /dev/stdout is written to; renaming a file over it would replace it.
  const bool in_place = std::filesystem::exists(path) && !std::filesystem::is_regular_file(path);
  std::filesystem::path temporary = path;
  if (!in_place) temporary += fmt::format(".{}.tmp", ::getpid());
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

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace cria
