#include "app/look/page_asset.hpp"

#include <algorithm>

#include "app/look/file_response.hpp"
#include "app/look/page_files.hpp"

namespace cria::look {
namespace {

http::Response response_of(std::string_view name, std::string_view text) {
  return file_response(name, std::string(text), "style-src 'self'; img-src data:; connect-src 'self'");
}

}  // namespace

std::optional<http::Response> page_asset(std::string_view path, std::string_view data) {
  if (!path.starts_with('/')) return std::nullopt;
  const std::string_view name = path == "/" ? "index.html" : path.substr(1);
  if (name == "data.js") return response_of(name, data);
  const auto file = std::ranges::find(page_files(), name, &PageFile::name);
  if (file == page_files().end()) return std::nullopt;
  return response_of(name, file->text);
}

}  // namespace cria::look
