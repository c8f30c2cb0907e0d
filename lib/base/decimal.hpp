// Numbers as people write them.
#pragma once

#include <charconv>
#include <cmath>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace cria {

/// Reads a text that is a number in plain decimal and nothing else; false for any other, and for one that `Number`
/// cannot hold. 0100 is none: to C and to YAML 1.1 it is 64, to most readers a hundred.
template <class Number>
bool read_decimal(std::string_view text, Number& value) {
  const std::size_t first = text.starts_with('-') ? 1 : 0;
  if (text.size() > first + 1 && text[first] == '0' && text[first + 1] >= '0' && text[first + 1] <= '9') return false;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) return false;
  if constexpr (std::is_floating_point_v<Number>) return std::isfinite(value);
  return true;
}

}  // namespace cria
