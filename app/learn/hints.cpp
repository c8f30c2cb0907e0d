#include "app/learn/hints.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "app/learn/check.hpp"
#include "app/learn/learn.hpp"
#include "app/learn/progress.hpp"
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

namespace cria {
using namespace learn;
namespace {

/// The region that a hint is wanted for: what the last check speaks against, else the first that is still a stub, else
/// the first with hints left.
const Hints& hinted(const Chapter& chapter, const std::vector<Hints>& hints, const std::string& wanted,
                    ChapterProgress& progress) {
  if (!wanted.empty()) {
    const auto found = std::ranges::find(hints, wanted, &Hints::region);
    if (found != hints.end()) return *found;
    std::string known;
    for (const Hints& h : hints) known += (known.empty() ? "" : ", ") + h.region;
    throw UserError(fmt::format("chapter {} has no {} to write, only {}", chapter.number(), wanted, known));
  }
  if (const auto found = std::ranges::find(hints, progress.suspect, &Hints::region); found != hints.end())
    return *found;
  for (const auto& [name, text] : learners_files(chapter))
    for (const Region& region : chapter.file(name).regions)
      if (text.find(fmt::format("\"{}\"", chapter.not_written(region.name))) != text.npos)
        return *std::ranges::find(hints, region.name, &Hints::region);
  for (const Hints& h : hints)
    if (progress.hints[h.region] < h.levels.size()) return h;
  return hints.front();
}

}  // namespace

int run_learn_hint(const LearnOptions& options) {
  ProgressFile progress;
  const std::vector<Chapter> chapters = all_chapters();
  const Chapter& chapter = chosen_chapter(chapters, options.chapter, progress);
  const std::vector<Hints> all = read_hints(chapter);
  ChapterProgress& p = progress.of(chapter);
  const Hints& hints = hinted(chapter, all, options.region, p);
  size_t& shown_levels = p.hints[hints.region];
  shown_levels = std::min(shown_levels + 1, hints.levels.size());
  progress.save();
  fmt::print("{} {}, hint {} of {}\n\n", chapter.number(), hints.region, shown_levels, hints.levels.size());
  fmt::print("{}\n", trim(hints.levels[shown_levels - 1]));
  if (shown_levels < hints.levels.size())
    fmt::print("\nMore: ./cria learn hint {} {}\n", chapter.number(), hints.region);
  else
    fmt::print("\nThat was the last one. The reference beside yours: ./cria learn diff {} --now\n", chapter.number());
  return 0;
}

}  // namespace cria
