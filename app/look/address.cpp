#include "app/look/address.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <string_view>

namespace cria::look {

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
