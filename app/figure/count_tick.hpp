// Large counts on an axis: 3e10 is "30G".
#pragma once

#include <fmt/format.h>

#include <iterator>
#include <string>

namespace cria::figure {

inline std::string count_tick(double count) {
  constexpr const char* units[] = {"", "K", "M", "G", "T"};
  size_t unit = 0;
  while (count >= 999.5 && unit + 1 < std::size(units)) count /= 1000, ++unit;
  return fmt::format("{:.4g}{}", count, units[unit]);
}

}  // namespace cria::figure
