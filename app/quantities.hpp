// Quantities as people read them, and lines of them that fit a terminal of 80 columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cria {

/// "34.2K", "1.10M", "8.03G"
std::string count_text(double count);
/// "6,738,415,616"
std::string grouped(std::uint64_t number);
/// "576.0 KiB", up to TiB
std::string bytes_text(double bytes);
/// "3.1 ms", "2.5 minutes", "12,000 years"
std::string duration_text(double seconds);

/// Prints a label and behind it the parts, in as many lines as they take.
void print_parts(std::string_view label, const std::vector<std::string>& parts);

}  // namespace cria
