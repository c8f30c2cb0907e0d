// Reading files: mapped where that is possible, else piece by piece.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/base/shrunk_file.hpp"

namespace cria {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const char* action, const fs::path& path) {
  throw UserError(fmt::format("cannot {} {}: {}", action, shown_path(path), std::strerror(errno)));
}

[[noreturn]] void fail_too_long(const fs::path& path, size_t most) {
  throw UserError(fmt::format("{} is too long: expected at most {} bytes", shown_path(path), most));
}

// A clone without git-lfs has in place of each large file three lines that say which one belongs there.
void refuse_pointer(std::string_view beginning, const fs::path& path) {
  if (beginning.starts_with("version https://git-lfs.github.com/spec/"))
    throw UserError(
        fmt::format("{} is a git-lfs pointer, not the file itself: fetch it with 'git lfs pull'", shown_path(path)));
}

// A pipe need never end.
size_t most_in_memory() {
  return static_cast<size_t>(::sysconf(_SC_PHYS_PAGES)) / 2 * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

void add_files_of(const fs::path& folder, std::vector<fs::path>& files) {
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(folder))
    if (!entry.path().filename().string().starts_with('.')) entries.push_back(entry.path());
  std::sort(entries.begin(), entries.end());
  for (const fs::path& entry : entries)
    if (fs::is_regular_file(entry))
      files.push_back(entry);
    else if (fs::is_directory(entry) && !fs::is_symlink(entry))  // a link may lead in a circle
      add_files_of(entry, files);
}

}  // namespace

std::string shown_path(const fs::path& path) { return path == "-" ? "standard input" : path.string(); }

std::string read_file(const fs::path& path, size_t most) {
  const MappedFile file(path, most);
  return std::string(file.text());
}

std::vector<fs::path> list_files(std::span<const std::string> paths) {
  std::vector<fs::path> files;
  for (const std::string& path : paths) {
    const size_t before = files.size();
    if (path != "-" && fs::is_directory(path)) {
      add_files_of(path, files);
      if (files.size() == before) throw UserError(fmt::format("the folder {} holds no file", path));
    } else if (path == "-" || fs::exists(path)) {
      files.emplace_back(path);
    } else {
      errno = ENOENT;
      fail("read", path);
    }
  }
  return files;
}

InputFile::InputFile(fs::path path)
    : path_(std::move(path)),
      descriptor_(path_ == "-" ? ::dup(STDIN_FILENO) : ::open(path_.c_str(), O_RDONLY | O_CLOEXEC)) {
  struct stat status {};
  if (descriptor_ < 0) fail("read", path_);
  if (::fstat(descriptor_, &status) != 0 || S_ISDIR(status.st_mode)) {
    ::close(descriptor_);
    throw UserError(fmt::format("cannot read {}: it is a folder, expected a file", shown_path(path_)));
  }
}

InputFile::~InputFile() { ::close(descriptor_); }

size_t InputFile::read(size_t most, std::string& to) {
  const size_t begin = to.size();
  to.resize(begin + most);
  size_t count = 0;
  while (count < most) {
    const ssize_t got = ::read(descriptor_, to.data() + begin + count, most - count);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("read", path_);
    if (got == 0) break;
    count += static_cast<size_t>(got);
  }
  to.resize(begin + count);
  if (std::exchange(at_beginning_, false)) refuse_pointer(std::string_view(to).substr(begin), path_);
  return count;
}

MappedFile::MappedFile(const fs::path& path, size_t most) {
  InputFile file(path);
  struct stat status {};
  if (::fstat(file.descriptor_, &status) != 0) fail("read", path);
  // A file of the system such as /proc/cpuinfo says that it is empty, and is not.
  if (path != "-" && S_ISREG(status.st_mode) && status.st_size > 0) {
    char beginning[64];
    const ssize_t count = ::pread(file.descriptor_, beginning, sizeof beginning, 0);
    refuse_pointer({beginning, static_cast<size_t>(std::max<ssize_t>(count, 0))}, path);
    size_ = static_cast<size_t>(status.st_size);
    if (size_ > most) fail_too_long(path, most);
    void* memory = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.descriptor_, 0);
    if (memory == MAP_FAILED) fail("map", path);
    data_ = static_cast<const std::byte*>(memory);
    remember_mapping(bytes(), file.descriptor_, path.native());
    return;
  }
  most = std::min(most, most_in_memory());
  read_ = std::make_unique<std::string>();
  while (file.read(size_t{1} << 20, *read_) > 0)
    if (read_->size() > most) fail_too_long(path, most);
  data_ = reinterpret_cast<const std::byte*>(read_->data());
  size_ = read_->size();
}

MappedFile::~MappedFile() {
  if (!data_ || read_) return;
  forget_mapping(data_);
  ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::release(std::span<const std::byte> part) const {
  if (read_) return;
  require_whole_mapping(data_);
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const auto offset = static_cast<size_t>(part.data() - data_);
  const size_t begin = (offset + page - 1) / page * page, end = (offset + part.size()) / page * page;
  if (begin < end) ::madvise(const_cast<std::byte*>(data_) + begin, end - begin, MADV_DONTNEED);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)), read_(std::move(other.read_)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(read_, other.read_);
  return *this;
}

}  // namespace cria
