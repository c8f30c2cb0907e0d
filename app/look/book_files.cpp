#include "app/look/book_files.hpp"

#include <algorithm>

#include "app/look/file_response.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria::look {
namespace fs = std::filesystem;
namespace {

/// Names that begin with a point lead upwards, or are hidden.
bool is_plain(std::string_view name) {
  constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";
  return !name.starts_with('.') && name.find_first_not_of(allowed) == name.npos;
}

}  // namespace

fs::path book_folder() {
  const fs::path book = data_folder().parent_path() / "build" / "book";
  return fs::exists(book / "chapters") ? book : fs::path();
}

std::optional<http::Response> book_file(const fs::path& book, std::string_view path) {
  if (book.empty() || !path.starts_with(book_path)) return std::nullopt;
  fs::path file = book;
  for (std::string_view rest = path.substr(book_path.size()); !rest.empty();) {
    const std::string_view name = rest.substr(0, rest.find('/'));
    if (!is_plain(name)) return std::nullopt;
    file /= name;
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
  }
  std::error_code none;
  if (path.ends_with('/')) file /= "index.html";  // not without the slash, as its links would then lead elsewhere
  if (!content_type(file.string()) || !fs::is_regular_file(file, none)) return std::nullopt;
  try {
    return file_response(file.string(), read_file(file), "style-src 'self' 'unsafe-inline'; img-src 'self' data:");
  } catch (const UserError&) {  // it is being written anew
    return std::nullopt;
  }
}

}  // namespace cria::look
