// How the page links to files.
#pragma once

#include <filesystem>
#include <string>

namespace cria::look {

/// The path as a part of a URL: what has a meaning there, and what is not ASCII, is escaped (RFC 3986).
std::string address_of(const std::filesystem::path& path);

}  // namespace cria::look
