#include "app/learn/chapter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria::learn {
namespace fs = std::filesystem;
namespace {

const fs::path& existing(const fs::path& path, const char* what) {
  if (!fs::exists(path))
    throw UserError(fmt::format("this command works where cria was built, but its {} {} is gone", what, path.string()));
  return path;
}

Chapter read_chapter(const fs::path& folder) {
  Chapter chapter{folder.filename().string(), {}, {}};
  const std::string lesson = read_file(folder / "README.md");
  chapter.title = lesson.substr(0, lesson.find('\n'));
  chapter.title.erase(0, chapter.title.find(chapter.number()) + 3);  // "# 03 RMSNorm"
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".cpp") continue;
    ChapterFile file{entry.path().filename().string(), read_file(entry.path()), {}};
    file.regions = find_regions(file.reference, shown(entry.path()));
    if (!file.regions.empty()) chapter.files.push_back(std::move(file));
  }
  std::ranges::sort(chapter.files, {}, &ChapterFile::name);
  return chapter;
}

}  // namespace

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    lines.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

std::string join_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

std::string_view trim(std::string_view text) {
  const auto is_space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::string shown(const fs::path& path) {
  const fs::path relative = path.lexically_relative(fs::current_path());
  return relative.empty() || relative.native().starts_with("..") ? path.string() : relative.string();
}

std::vector<Region> find_regions(std::string_view text, const std::string& file, std::string_view kind) {
  const std::string begin_marker = fmt::format("// {}: ", kind), end_marker = fmt::format("// end of {}", kind);
  std::vector<Region> regions;
  bool inside = false;
  const std::vector<std::string> lines = split_lines(text);
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string_view line = trim(lines[i]);
    const bool begins = line.starts_with(begin_marker), ends = line == end_marker;
    if ((begins && inside) || (ends && !inside))
      throw UserError(fmt::format("{}:{}: this marker lacks its partner", file, i + 1));
    if (begins) regions.push_back({std::string(line.substr(begin_marker.size())), i, i});
    if (ends) regions.back().last_line = i;
    inside = begins || (inside && !ends);
  }
  if (inside) throw UserError(fmt::format("{}: the last \"{}\" lacks its end", file, begin_marker));
  return regions;
}

const ChapterFile& Chapter::file(const std::string& name) const {
  const auto found = std::ranges::find(files, name, &ChapterFile::name);
  if (found == files.end()) throw UserError(fmt::format("chapter {} has no file {} with a solution", folder, name));
  return *found;
}

std::vector<std::string> Chapter::region_names() const {
  std::vector<std::string> names;
  for (const ChapterFile& file : files)
    for (const Region& region : file.regions) names.push_back(region.name);
  return names;
}

std::string Chapter::not_written(const std::string& region) const {
  return fmt::format("chapter {} is not written yet: {}", number(), region);
}

std::string skeleton(const Chapter& chapter, const ChapterFile& file) {
  const std::vector<std::string> reference = split_lines(file.reference);
  std::vector<std::string> lines;
  size_t next = 0;
  for (const Region& region : file.regions) {
    lines.insert(lines.end(), reference.begin() + next, reference.begin() + region.first_line + 1);
    const std::string& marker = reference[region.first_line];
    lines.push_back(fmt::format("{}throw NotWritten(\"{}\");", marker.substr(0, marker.find('/')),
                                chapter.not_written(region.name)));
    next = region.last_line;
  }
  lines.insert(lines.end(), reference.begin() + next, reference.end());
  // Among the project's own includes, in their order.
  const std::string include = "#include \"lib/base/not_written.hpp\"";
  auto at = lines.begin();
  for (auto line = lines.begin(); line != lines.end(); ++line)
    if (line->starts_with("#include \"") && *line < include) at = line + 1;
  lines.insert(at, include);
  return join_lines(lines);
}

const fs::path& source_folder() {
  static const fs::path folder = CRIA_SOURCE_FOLDER;
  existing(folder / "chapters", "source folder");
  return folder;
}
const fs::path& build_folder() {
  static const fs::path folder = CRIA_BUILD_FOLDER;
  return existing(folder, "build folder");
}
fs::path workshop_folder() {
  if (const char* folder = std::getenv("CRIA_WORKSHOP")) return fs::absolute(folder);
  return source_folder() / "workshop";
}

std::vector<Chapter> all_chapters() {
  std::vector<Chapter> chapters;
  for (const fs::directory_entry& entry : fs::directory_iterator(source_folder() / "chapters"))
    if (fs::exists(entry.path() / "README.md")) chapters.push_back(read_chapter(entry.path()));
  std::erase_if(chapters, [](const Chapter& chapter) { return chapter.files.empty(); });
  std::ranges::sort(chapters, {}, &Chapter::folder);
  return chapters;
}

const Chapter& find_chapter(const std::vector<Chapter>& chapters, const std::string& name) {
  const std::string number = name.size() == 1 ? "0" + name : name;
  for (const Chapter& chapter : chapters)
    if (name == chapter.folder || number == chapter.number() || name == chapter.folder.substr(3)) return chapter;
  std::string known;
  for (const Chapter& chapter : chapters) known += (known.empty() ? "" : ", ") + chapter.folder;
  throw UserError(fmt::format("there is no chapter {}, only {}", name, known));
}

}  // namespace cria::learn
