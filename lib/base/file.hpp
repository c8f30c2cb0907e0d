// Reading files whole or mapped, and writing them so that a crash leaves either the old file or the new one.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace cria {

/// The folder with the built-in stories and the small trained model: $CRIA_DATA, else where this build was configured
/// or installed.
std::filesystem::path data_folder();

/// The whole file. Throws UserError naming the path when it cannot be read.
std::string read_file(const std::filesystem::path& path);

/// Writes to a temporary name beside the file, syncs, and renames over it, so that the file is never half written.
/// Throws UserError naming the path and the reason ("No space left on device"); the old file then stands untouched.
/// A temporary file that a killed process left beside it is removed. A link stays, and the file that it leads to is
/// written. What is no regular file, such as a pipe, is written to as it is.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

/// The same for content that is produced in pieces: `produce` is called once with a function that writes.
using WriteBytes = std::function<void(std::string_view)>;
void write_file_atomically(const std::filesystem::path& path, const std::function<void(const WriteBytes&)>& produce);

/// A file mapped read-only into memory; pages are read when they are touched.
class MappedFile {
 public:
  /// Throws UserError naming the path when it cannot be opened.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  /// Gives the pages that lie within this part back to the system; who reads them again finds the file's bytes again.
  void release(std::span<const std::byte> part) const;
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace cria
