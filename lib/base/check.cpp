#include "lib/base/check.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace cria {

void end_at_index(size_t index, size_t axis, size_t length) {
  std::fprintf(stderr, "View: index %zu on axis %zu, whose length is %zu\n", index, axis, length);
  std::abort();
}

std::string shape_text(std::span<const size_t> shape) {
  constexpr size_t most = 8;
  if (shape.size() > most) return fmt::format("({}, …: {} axes)", fmt::join(shape.first(most), ", "), shape.size());
  return fmt::format("({})", fmt::join(shape, ", "));
}

namespace {

// At most so many bytes from the beginning, and no half character.
std::string_view beginning(std::string_view text, size_t most) {
  if (text.size() <= most) return text;
  const auto is_tail = [](char byte) { return (byte & 0xC0) == 0x80; };  // of a character in UTF-8
  size_t end = most;
  while (end > most - 3 && is_tail(text[end])) --end;
  return text.substr(0, end);
}

}  // namespace

std::string in_quotes(std::string_view text) {
  const std::string_view shown = beginning(text, 80);
  if (shown.size() < text.size()) return fmt::format("{:?}… ({} bytes)", shown, text.size());
  return fmt::format("{:?}", shown);
}

std::string one_line(std::string_view message) {
  const std::string_view shown = beginning(message, 1000);
  const std::string escaped = fmt::format("{:?}", shown);  // in quotes, and with quotes and backslashes escaped too
  std::string line;
  for (size_t at = 1; at + 1 < escaped.size(); ++at) {
    if (escaped[at] == '\\' && (escaped[at + 1] == '"' || escaped[at + 1] == '\\')) ++at;
    line += escaped[at];
  }
  return shown.size() < message.size() ? line + "…" : line;
}

void fail(const char* what, const char* message) { throw ContractError(fmt::format("{}: {}", what, message)); }

void fail_shape(const char* what, std::span<const size_t> shape, std::span<const size_t> expected) {
  throw ContractError(fmt::format("{} has shape {}, expected {}", what, shape_text(shape), shape_text(expected)));
}

}  // namespace cria
