#include "app/look/address.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <string_view>

namespace cria::look {

std::string last_name(const std::filesystem::path& path) {
  const std::filesystem::path whole = std::filesystem::absolute(path).lexically_normal();
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

std::string address_of(const std::filesystem::path& path) {
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
  std::string address;
  for (const char c : path.generic_string())
    if (plain.find(c) != plain.npos)
      address += c;
    else
      address += fmt::format("%{:02X}", std::uint8_t(c));
  return address;
}

}  // namespace cria::look
