// The graded hints of chapters/NN-name/hints.md: for each region of a solution three levels, shown one more at a time.
#pragma once

#include <string>
#include <vector>

#include "app/learn/chapter.hpp"

namespace cria::learn {

/// The hints for one region: `## region`, and below it a `### heading` for each level.
struct Hints {
  std::string region;
  std::vector<std::string> levels;  // heading and text
};

/// Throws UserError when a region has no hints, or hints have no region.
std::vector<Hints> read_hints(const Chapter& chapter);

}  // namespace cria::learn
