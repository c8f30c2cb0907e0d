// How the page names files: by a path's last part, and by the address of a link.
#pragma once

#include <filesystem>
#include <string>

namespace cria::look {

/// "mine" of runs/mine, and of runs/mine/ as well.
std::string last_name(const std::filesystem::path& path);

/// The path as a part of a URL: what has a meaning there, and what is not ASCII, is escaped (RFC 3986).
std::string address_of(const std::filesystem::path& path);

}  // namespace cria::look
