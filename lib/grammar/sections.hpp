// The sections of a grammar file, and of the files that it includes.
#pragma once

#include <deque>
#include <filesystem>
#include <string>
#include <vector>

#include "lib/grammar/lines.hpp"

namespace cria {

/// A line that is not indented, and the indented ones below it. Only a file that begins wrong has one without a head.
struct Section {
  std::string key;  // what it defines; a section of the same key takes its place
  std::vector<Line> lines;
};

struct Sections {
  std::deque<std::string> kept;  // texts and names of the files, which the lines point into
  std::vector<Section> list;
};

/// Those of a text, with `include FILE` lines followed: a section of the text replaces one of an included file, and one
/// of a later file that of an earlier one. Files are looked for in `folder`, and only there. Throws UserError
/// "file:line: …" for a name that leads out of it, and for includes that are too deep, too many or too large.
Sections read_sections(std::string text, const std::string& name, const std::filesystem::path& folder);

}  // namespace cria
