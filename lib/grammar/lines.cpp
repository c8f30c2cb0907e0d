// Cuts text into lines, and lines into parts.
#include "lib/grammar/lines.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace cria {

std::string Line::place() const { return fmt::format("{}:{}", file, number); }

std::vector<Line> content_lines(std::string_view text, std::string_view file) {
  std::vector<Line> lines;
  for (std::size_t number = 1, begin = 0; begin < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin), content = trim(line);
    if (!content.empty() && content[0] != '#')
      lines.push_back({file, number, line[0] == ' ' || line[0] == '\t', content});
    begin = end + 1;
  }
  return lines;
}

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

std::vector<std::string_view> split_at_bars(std::string_view text) {
  std::vector<std::string_view> parts;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || (text[i] == '|' && depth == 0)) {
      parts.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    } else if (text[i] == '(' || text[i] == '[' || text[i] == '{') {
      ++depth;
    } else if (text[i] == ')' || text[i] == ']' || text[i] == '}') {
      --depth;
    }
  }
  return parts;
}

}  // namespace cria
