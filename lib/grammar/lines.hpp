// The lines of a grammar file, before anything is known of their meaning.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cria {

struct Line {
  std::string_view file;   // its name
  std::size_t number = 0;  // in the file, counted from 1
  bool indented = false;
  std::string_view text;  // without white space around it

  std::string place() const;  // "file:number", as messages begin
};

/// All lines but the empty ones and the comments. They point into `text` and `file`.
std::vector<Line> content_lines(std::string_view text, std::string_view file);

/// Without white space at either end.
std::string_view trim(std::string_view text);

/// Splits at every `|` that stands outside brackets.
std::vector<std::string_view> split_at_bars(std::string_view text);

}  // namespace cria
