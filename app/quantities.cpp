#include "app/quantities.hpp"

#include <fmt/format.h>

#include <iterator>

#include "app/train/panel.hpp"

namespace cria {

std::string count_text(double count) {
  if (count < 1e3) return fmt::format("{:.0f}", count);
  if (count < 1e6) return fmt::format("{:.1f}K", count / 1e3);
  if (count < 1e9) return fmt::format("{:.1f}M", count / 1e6);
  return count < 1e12 ? fmt::format("{:.2f}G", count / 1e9) : fmt::format("{:.2f}T", count / 1e12);
}

std::string grouped(std::uint64_t number) {
  std::string text = fmt::format("{}", number);
  for (size_t at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
  return text;
}

std::string bytes_text(double bytes) {
  constexpr const char* units[] = {"KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  for (bytes /= 1024; bytes >= 1024 && unit + 1 < std::size(units); ++unit) bytes /= 1024;
  return fmt::format("{:.1f} {}", bytes, units[unit]);
}

std::string duration_text(double seconds) {
  constexpr double minute = 60, hour = 60 * minute, day = 24 * hour, year = 365.25 * day;
  if (seconds < 1e-3) return fmt::format("{:.3g} us", 1e6 * seconds);
  if (seconds < 1) return fmt::format("{:.3g} ms", 1e3 * seconds);
  if (seconds < 2 * minute) return fmt::format("{:.3g} s", seconds);
  if (seconds < 2 * hour) return fmt::format("{:.0f} minutes", seconds / minute);
  if (seconds < 2 * day) return fmt::format("{:.0f} hours", seconds / hour);
  if (seconds < 2 * year) return fmt::format("{:.0f} days", seconds / day);
  return fmt::format("{} years", grouped(static_cast<std::uint64_t>(seconds / year + 0.5)));
}

void print_parts(std::string_view label, const std::vector<std::string>& parts) {
  constexpr size_t indent = 11, columns = 80;
  for (const std::string& line : flow(parts, " ", columns - indent)) {
    fmt::print("{:{}}{}\n", label, indent, line);
    label = "";
  }
}

}  // namespace cria
