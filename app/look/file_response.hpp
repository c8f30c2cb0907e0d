// A file as a server gives it to a browser.
#pragma once

#include <string>
#include <string_view>

#include "lib/http/message.hpp"

namespace cria::look {

/// What a browser is told that a file is, by the ending of its name; nullptr for an ending that no file of the page or
/// of the book has.
const char* content_type(std::string_view name);

/// A file with a content type. Its page may load what `sources` says (directives of Content-Security-Policy), and
/// nothing else; nobody else may frame it or load it.
http::Response file_response(std::string_view name, std::string text, const std::string& sources);

}  // namespace cria::look
