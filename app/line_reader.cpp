#include "app/line_reader.hpp"

#include <unistd.h>

#include <cstdio>

#include "app/output.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace {

constexpr std::size_t longest_line = std::size_t{1} << 20;

std::optional<std::string> read_line() {
  std::string line;
  for (int c; (c = std::getc(stdin)) != EOF;) {
    if (c == '\n') return line;
    line += static_cast<char>(c);
    if (line.size() > longest_line) throw UserError("a line has more than 1 MB, expected a message in each");
  }
  if (line.empty()) return std::nullopt;
  return line;
}

}  // namespace

LineReader::LineReader(std::string prompt) : prompt_(std::move(prompt)), on_terminal_(::isatty(STDIN_FILENO) != 0) {}

LineReader::~LineReader() = default;

std::optional<std::string> LineReader::next() {
  if (on_terminal_) {
    print_bytes(prompt_);
    flush_output();
  }
  auto line = read_line();
  if (!line && on_terminal_) print_bytes("\n");
  return line;
}

}  // namespace cria
