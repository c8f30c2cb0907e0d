#include "app/look/file_response.hpp"

#include <utility>

namespace cria::look {

const char* content_type(std::string_view name) {
  constexpr std::pair<std::string_view, const char*> types[] = {{".html", "text/html; charset=utf-8"},
                                                                {".css", "text/css; charset=utf-8"},
                                                                {".js", "text/javascript; charset=utf-8"},
                                                                {".svg", "image/svg+xml"},
                                                                {".png", "image/png"},
                                                                {".jpg", "image/jpeg"}};
  for (const auto& [ending, type] : types)
    if (name.ends_with(ending)) return type;
  return nullptr;
}

http::Response file_response(std::string_view name, std::string text, const std::string& sources) {
  return {200,
          std::move(text),
          content_type(name),
          {{"Content-Security-Policy", "default-src 'none'; script-src 'self'; " + sources +
                                           "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
           {"X-Content-Type-Options", "nosniff"},
           {"Referrer-Policy", "no-referrer"},
           {"Cross-Origin-Resource-Policy", "same-origin"},
           {"Cache-Control", "no-cache"}}};
}

}  // namespace cria::look
