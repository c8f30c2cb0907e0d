// Errors of a file's content that do not know what the file is called.
#pragma once

#include <filesystem>
#include <string>

#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {

/// What `read` returns. A UserError of it gets the file's name in front, unless it begins with that.
template <class Read>
auto with_name(const std::filesystem::path& path, Read read) {
  try {
    return read();
  } catch (const UserError& error) {
    const std::string message = error.what(), name = shown_path(path);
    if (message.starts_with(name)) throw;
    throw UserError(name + ": " + message);
  }
}

}  // namespace cria
