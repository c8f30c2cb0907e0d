// The recipes that come with cria: data/presets has one for each Llama that was published.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace cria {

/// Their names ("llama-2-7b", …), in order.
std::vector<std::string> preset_names();

/// A recipe's file: the path itself where something is there, else the preset of that name. Throws UserError, naming
/// the nearest preset, when it is neither.
std::filesystem::path recipe_file(const std::string& path_or_preset);

}  // namespace cria
