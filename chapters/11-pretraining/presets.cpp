#include "chapters/11-pretraining/presets.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/check.hpp"
#include "lib/base/edit_distance.hpp"
#include "lib/base/file.hpp"

namespace cria {
namespace {

std::filesystem::path preset_file(const std::string& name) { return data_folder() / "presets" / (name + ".yaml"); }

}  // namespace

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(data_folder() / "presets"))
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  std::ranges::sort(names);
  return names;
}

std::filesystem::path recipe_file(const std::string& path_or_preset) {
  if (path_or_preset == "-" || std::filesystem::exists(path_or_preset)) return path_or_preset;
  const std::vector<std::string> names = preset_names();
  if (std::ranges::count(names, path_or_preset)) return preset_file(path_or_preset);
  if (path_or_preset.find_first_of("/.") != path_or_preset.npos && path_or_preset.ends_with(".yaml"))
    return path_or_preset;  // no preset was meant, and reading it says what is wrong
  throw UserError(fmt::format("{} is neither a file nor a preset; the nearest preset is {}", in_quotes(path_or_preset),
                              *std::ranges::min_element(names, {}, [&](const std::string& name) {
                                return edit_distance(name, path_or_preset);
                              })));
}

}  // namespace cria
