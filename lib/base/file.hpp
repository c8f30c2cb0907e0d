// Reading files whole, mapped or piece by piece, and writing them so that a crash leaves either the old file or the new
// one. Wherever a file is read, a pipe will do as well, and "-" is standard input.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cria {

/// The folder with the built-in stories and the small trained model: $CRIA_DATA, else where this build was configured
/// or installed.
std::filesystem::path data_folder();

/// The whole file. Throws UserError naming the path when it cannot be read, or has more than `most` bytes.
std::string read_file(const std::filesystem::path& path, std::size_t most = static_cast<std::size_t>(-1));

/// The files that the paths name, in their order. A folder stands for the files in it and in its folders, by name, but
/// for hidden ones. Throws UserError for a path that leads nowhere, and for a folder that holds no file.
std::vector<std::filesystem::path> list_files(std::span<const std::string> paths);

/// "mine" of runs/mine, and of runs/mine/ as well.
std::string last_name(const std::filesystem::path& path);

/// What a message calls a file: its path, or "standard input".
std::string shown_path(const std::filesystem::path& path);

/// A file that is read once, from its beginning on, and need never be in memory whole.
class InputFile {
 public:
  /// Throws UserError naming the path when it cannot be opened, or is a folder.
  explicit InputFile(std::filesystem::path path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  /// Appends the next bytes to `to`: `most`, and fewer only at the end. Returns how many. Throws UserError when they
  /// cannot be read, or when the file is a git-lfs pointer.
  std::size_t read(std::size_t most, std::string& to);

 private:
  friend class MappedFile;
  std::filesystem::path path_;
  int descriptor_;
  bool at_beginning_ = true;
};

/// Writes to a temporary name beside the file, syncs, and renames over it, so that the file is never half written.
/// Throws UserError naming the path and the reason ("No space left on device"); the old file then stands untouched.
/// A temporary file that a killed process left beside it is removed. A link stays, and the file that it leads to is
/// written. What is no regular file, such as a pipe, is written to as it is.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

/// The same for content that is produced in pieces: `produce` is called once with a function that writes.
using WriteBytes = std::function<void(std::string_view)>;
void write_file_atomically(const std::filesystem::path& path, const std::function<void(const WriteBytes&)>& produce);

/// The same for a folder: `produce` fills one with a temporary name, which is then renamed. A folder that stands there
/// is replaced, with all that is in it. Folders above it are made. Throws UserError naming the path.
void write_folder_atomically(const std::filesystem::path& path,
                             const std::function<void(const std::filesystem::path& temporary)>& produce);

/// A file mapped read-only into memory; pages are read when they are touched, which raises SIGBUS where the file became
/// shorter meanwhile (shrunk_file.hpp). What cannot be mapped, such as a pipe, is read whole.
class MappedFile {
 public:
  /// Throws UserError naming the path when it cannot be opened, has more than `most` bytes, is a git-lfs pointer, or is
  /// a pipe that gives more than half of this machine's memory.
  explicit MappedFile(const std::filesystem::path& path, std::size_t most = static_cast<std::size_t>(-1));
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  /// Gives this part's pages back to the system; they come again when read. Throws UserError when the file has shrunk.
  void release(std::span<const std::byte> part) const;
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
  std::unique_ptr<std::string> read_;  // holds the bytes where they are not mapped
};

}  // namespace cria
