// Zip archives whose entries are stored as they are (APPNOTE.TXT of PKWARE, sections 4.3 and 4.5.3 for zip64), which is
// how PyTorch writes its files: an entry is then a part of the mapped file. Compressed entries are refused.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "lib/base/file.hpp"

namespace cria {

class ZipFile {
 public:
  using Entries = std::map<std::string, std::span<const std::byte>, std::less<>>;

  /// Maps the file and checks its directory. Throws UserError, one line with the file and what was expected.
  explicit ZipFile(const std::filesystem::path& path);

  /// Name of each entry and its bytes.
  const Entries& entries() const { return entries_; }
  const MappedFile& file() const { return file_; }

 private:
  MappedFile file_;
  Entries entries_;
};

}  // namespace cria
