#include "app/learn/hints.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria::learn {

std::vector<Hints> read_hints(const Chapter& chapter) {
  const std::filesystem::path path = source_folder() / "chapters" / chapter.folder / "hints.md";
  std::vector<Hints> hints;
  for (const std::string& line : split_lines(read_file(path))) {
    if (line.starts_with("## "))
      hints.push_back({line.substr(3), {}});
    else if (line.starts_with("### ") && !hints.empty())
      hints.back().levels.push_back(line.substr(4) + "\n");
    else if (!hints.empty() && !hints.back().levels.empty())
      hints.back().levels.back() += line + "\n";
  }
  std::vector<std::string> expected = chapter.region_names(), found;
  for (const Hints& h : hints) {
    found.push_back(h.region);
    if (h.levels.size() != 3)
      throw UserError(fmt::format("{}: {} has {} hints, expected 3", shown(path), h.region, h.levels.size()));
  }
  std::ranges::sort(expected), std::ranges::sort(found);
  if (expected != found)
    throw UserError(fmt::format("{}: its hints are not those of the chapter's solution regions", shown(path)));
  return hints;
}

}  // namespace cria::learn
