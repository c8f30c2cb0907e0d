#include "app/learn/stage.hpp"

#include <fmt/format.h>

#include <cctype>

#include "lib/base/file.hpp"

namespace cria::learn {
namespace fs = std::filesystem;

fs::path stage_folder(const Chapter& chapter) { return build_folder() / "workshop" / chapter.folder; }

void stage(const Chapter& chapter, const ChapterFile& file, const std::string& text, const fs::path& path) {
  // app/learn/components.cpp.in finds the mark by this name.
  std::string mark = "cria_ran_" + chapter.folder + "_" + fs::path(file.name).stem().string();
  for (char& c : mark)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  std::vector<std::string> lines = split_lines(text);
  for (std::string& line : lines) {
    const size_t begin = line.find("// solution: ");
    if (begin == line.npos || begin == 0 || !trim(std::string_view(line).substr(0, begin)).empty()) continue;
    line = fmt::format("{}__atomic_store_n(&{}, true, __ATOMIC_RELAXED);", line.substr(0, begin), mark);
  }
  const std::string staged =
      fmt::format("extern \"C\" {{ bool {} = false; }}\n#line 1 \"{}\"\n{}", mark, path.string(), join_lines(lines));
  const fs::path target = stage_folder(chapter) / file.name;
  if (fs::exists(target) && read_file(target) == staged) return;
  fs::create_directories(target.parent_path());
  write_file_atomically(target, staged);
}

}  // namespace cria::learn
