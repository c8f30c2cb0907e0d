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

constexpr std::string_view marker = "<!-- excerpt: ", marker_end = " -->", fence = "```cpp", fence_end = "```",
                           fold = "<details>", fold_end = "</details>";

/// Removes the indentation that all lines share. `#pragma`, which clang-format puts at the margin, does not count.
void dedent(std::vector<std::string>& lines) {
  const auto indentation = [](const std::string& line) { return std::min(line.find_first_not_of(' '), line.size()); };
  size_t shared = std::string::npos;
  for (const std::string& line : lines)
    if (!line.empty() && line.front() != '#') shared = std::min(shared, indentation(line));
  for (std::string& line : lines) line.erase(0, std::min(shared, indentation(line)));
}

/// The code, and in `excerpt` what it is and where it stands.
std::vector<std::string> region_of(Excerpt& excerpt, const fs::path& root, const std::string& place) {
  const fs::path path = root / excerpt.source;
  if (!fs::is_regular_file(path)) throw UserError(fmt::format("{}: there is no file {}", place, excerpt.source));
  const std::string text = read_file(path);
  auto regions = learn::find_regions(text, excerpt.source);
  const size_t solutions = regions.size();
  std::ranges::copy(learn::find_regions(text, excerpt.source, "example"), std::back_inserter(regions));
  const auto region = std::ranges::find(regions, excerpt.region, &learn::Region::name);
  if (region == regions.end()) {
    std::string names;
    for (const learn::Region& known : regions) names += (names.empty() ? "" : ", ") + known.name;
    throw UserError(fmt::format("{}: {} has no region {}, only: {}", place, excerpt.source, excerpt.region, names));
  }
  excerpt.solution = size_t(region - regions.begin()) < solutions;
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
  return {number, std::string(line.substr(0, space)), std::string(line.substr(space + 1)), true, false};
}

/// What stands below the marker. A solution is folded: who writes the chapter need not see it.
std::vector<std::string> block(const Excerpt& excerpt, const std::vector<std::string>& code) {
  std::vector<std::string> lines{std::string(fence)};
  lines.insert(lines.end(), code.begin(), code.end());
  lines.emplace_back(fence_end);
  if (!excerpt.solution) return lines;
  const std::string summary = fmt::format("<summary>The reference's <code>{}</code></summary>", excerpt.region);
  lines.insert(lines.begin(), {std::string(fold), summary, ""});
  lines.insert(lines.end(), {"", std::string(fold_end)});
  return lines;
}

/// Where the excerpt ends that begins at this line, folded or a bare fence; the same line when there is none yet.
size_t end_of_block(const std::vector<std::string>& lines, size_t begin, const std::string& place) {
  const std::string_view first = begin < lines.size() ? std::string_view(lines[begin]) : "";
  if (first != fold && first != fence) return begin;
  const auto end = std::find(lines.begin() + begin, lines.end(), first == fold ? fold_end : fence_end);
  if (end == lines.end()) throw UserError(fmt::format("{}: the {} after this excerpt has no end", place, first));
  return end - lines.begin() + 1;
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
    const std::vector<std::string> code = region_of(excerpt, root, place), wanted = block(excerpt, code);
    const size_t end = end_of_block(lines, i, place);
    excerpt.differs = !std::equal(lines.begin() + i, lines.begin() + end, wanted.begin(), wanted.end());
    i = end;
    refreshed.insert(refreshed.end(), wanted.begin(), wanted.end());
    lesson.excerpts.push_back(std::move(excerpt));
  }
  lesson.refreshed = learn::join_lines(refreshed);
  return lesson;
}

}  // namespace cria::book
