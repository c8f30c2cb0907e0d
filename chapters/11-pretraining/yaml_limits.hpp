// Before a YAML text becomes a tree: is it one that a recipe could be?
#pragma once

#include <string>

namespace cria {

/// Throws UserError with file and line for a second document, an alias, deep nesting and very many values: some short
/// texts are endless documents to yaml-cpp, or a tree much larger than themselves. What is no YAML throws
/// YAML::Exception.
void check_yaml_limits(const std::string& text, const std::string& file);

}  // namespace cria
