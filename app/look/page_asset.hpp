// The page's files as a server gives them out.
#pragma once

#include <optional>
#include <string_view>

#include "lib/http/message.hpp"

namespace cria::look {

/// What is at a path: the page itself at "/", and its files beside it; nothing at others. `data` is what data.js is, a
/// script. The page may ask where it came from, and nobody else (Content-Security-Policy).
std::optional<http::Response> page_asset(std::string_view path, std::string_view data);

}  // namespace cria::look
