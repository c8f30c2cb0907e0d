// Cuts files into sections, and lets later ones replace those of included files.
#include "lib/grammar/sections.hpp"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {
namespace {

constexpr int deepest_include = 4;
constexpr size_t most_files = 16, most_bytes = 1 << 20;  // included

/// Rules and lists share their names; slots have names of their own.
std::string key_of(std::string_view head) {
  const size_t space = head.find(' ');
  const std::string_view keyword = head.substr(0, space);
  if (space == head.npos) return std::string(keyword);
  const std::string_view rest = head.substr(space);
  const std::string name(trim(rest.substr(0, rest.find(':'))));
  return keyword == "slot" ? "slot " + name : "name " + name;
}

class Includes {
 public:
  explicit Includes(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::vector<Section> read(std::string text, const std::string& name, int depth) {
    const std::string_view file = sections_.kept.emplace_back(name);
    std::vector<Section> included, own;
    for (const Line& line : content_lines(sections_.kept.emplace_back(std::move(text)), file)) {
      if (!line.indented && (line.text == "include" || line.text.starts_with("include "))) {
        replace(included, include(line, depth + 1));
        continue;
      }
      if (!line.indented || own.empty()) own.push_back({line.indented ? "" : key_of(line.text), {}});
      own.back().lines.push_back(line);
    }
    replace(included, std::move(own));
    return included;
  }

  Sections take(std::vector<Section> list) {
    sections_.list = std::move(list);
    return std::move(sections_);
  }

 private:
  std::vector<Section> include(const Line& line, int depth) {
    const auto fail = [&](const std::string& message) { throw UserError(line.place() + ": " + message); };
    const std::string name(trim(line.text.substr(std::string_view("include").size())));
    if (folder_.empty()) fail("only a file can include another");
    if (name.empty() || name.starts_with('.') || name.find_first_of("/\\") != name.npos)
      fail(fmt::format("`{}` is no file's name: expected one in the same folder", name));
    if (depth > deepest_include) fail(fmt::format("`{}` is included more than {} files deep", name, deepest_include));
    if (++files_ > most_files) fail(fmt::format("more than {} files are included", most_files));
    const std::filesystem::path path = folder_ / name;
    std::string text = read_file(path, most_bytes - bytes_);
    bytes_ += text.size();
    return read(std::move(text), path.string(), depth);
  }

  static void replace(std::vector<Section>& earlier, std::vector<Section> later) {
    std::set<std::string> keys;
    for (const Section& section : later)
      if (!section.key.empty()) keys.insert(section.key);
    std::erase_if(earlier, [&](const Section& section) { return keys.contains(section.key); });
    for (Section& section : later) earlier.push_back(std::move(section));
  }

  std::filesystem::path folder_;
  size_t files_ = 0, bytes_ = 0;
  Sections sections_;
};

}  // namespace

Sections read_sections(std::string text, const std::string& name, const std::filesystem::path& folder) {
  Includes includes(folder);
  return includes.take(includes.read(std::move(text), name, 0));
}

}  // namespace cria
