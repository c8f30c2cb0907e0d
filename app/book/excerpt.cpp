// Reads a lesson line by line; what is no excerpt passes through unchanged.
#include "app/book/excerpt.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "app/learn/chapter.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria::book {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view marker = "<!-- excerpt: ", marker_end = " -->", fence = "```cpp", fence_end = "```";

/// Removes the indentation that all lines share. `#pragma`, which clang-format puts at the margin, does not count.
void dedent(std::vector<std::string>& lines) {
  const auto indentation = [](const std::string& line) { return std::min(line.find_first_not_of(' '), line.size()); };
  size_t shared = std::string::npos;
  for (const std::string& line : lines)
    if (!line.empty() && line.front() != '#') shared = std::min(shared, indentation(line));
  for (std::string& line : lines) line.erase(0, std::min(shared, indentation(line)));
}

std::vector<std::string> region_of(const Excerpt& excerpt, const fs::path& root, const std::string& place) {
  const fs::path path = root / excerpt.source;
  if (!fs::is_regular_file(path)) throw UserError(fmt::format("{}: there is no file {}", place, excerpt.source));
  const std::string text = read_file(path);
  const auto regions = learn::find_regions(text, excerpt.source);
  const auto region = std::ranges::find(regions, excerpt.region, &learn::Region::name);
  if (region == regions.end()) {
    std::string names;
    for (const learn::Region& known : regions) names += (names.empty() ? "" : ", ") + known.name;
    throw UserError(fmt::format("{}: {} has no region {}, only: {}", place, excerpt.source, excerpt.region, names));
  }
  const std::vector<std::string> lines = learn::split_lines(text);
  std::vector<std::string> inside(lines.begin() + region->first_line + 1, lines.begin() + region->last_line);
  dedent(inside);
  return inside;
}

Excerpt parse_marker(std::string_view line, size_t number, const std::string& place) {
  line.remove_prefix(marker.size());
  if (line.ends_with(marker_end)) line.remove_suffix(marker_end.size());
  const size_t space = line.find(' ');
  if (space == line.npos || line.find(' ', space + 1) != line.npos)
    throw UserError(fmt::format("{}: expected <!-- excerpt: FILE REGION -->", place));
  return {number, std::string(line.substr(0, space)), std::string(line.substr(space + 1)), false};
}

}  // namespace

Lesson read_excerpts(const std::string& text, const std::string& name, const fs::path& root) {
  const std::vector<std::string> lines = learn::split_lines(text);
  Lesson lesson;
  std::vector<std::string> refreshed;
  for (size_t i = 0; i < lines.size();) {
    refreshed.push_back(lines[i]);
    if (!lines[i++].starts_with(marker)) continue;
    const std::string place = fmt::format("{}:{}", name, i);
    Excerpt excerpt = parse_marker(lines[i - 1], i, place);
    std::vector<std::string> there;
    const bool has_fence = i < lines.size() && lines[i] == fence;
    if (has_fence) {
      const auto end = std::find(lines.begin() + i, lines.end(), fence_end);
      if (end == lines.end()) throw UserError(fmt::format("{}: the fence after this excerpt has no end", place));
      there.assign(lines.begin() + i + 1, end);
      i = end - lines.begin() + 1;
    }
    const std::vector<std::string> wanted = region_of(excerpt, root, place);
    excerpt.differs = !has_fence || there != wanted;
    refreshed.emplace_back(fence);
    refreshed.insert(refreshed.end(), wanted.begin(), wanted.end());
    refreshed.emplace_back(fence_end);
    lesson.excerpts.push_back(std::move(excerpt));
  }
  lesson.refreshed = learn::join_lines(refreshed);
  return lesson;
}

}  // namespace cria::book
