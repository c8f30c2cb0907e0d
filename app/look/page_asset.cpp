#include "app/look/page_asset.hpp"

#include <algorithm>

#include "app/look/page_files.hpp"

namespace cria::look {
namespace {

const char* type_of(std::string_view name) {
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  return "text/html; charset=utf-8";
}

http::Response response_of(std::string_view name, std::string_view text) {
  return {200,
          std::string(text),
          type_of(name),
          {{"Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
           {"X-Content-Type-Options", "nosniff"},
           {"Referrer-Policy", "no-referrer"},
           {"Cross-Origin-Resource-Policy", "same-origin"},
           {"Cache-Control", "no-cache"}}};
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
