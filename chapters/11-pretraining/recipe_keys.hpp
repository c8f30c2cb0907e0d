// The keys of a recipe: one table has each with its place and meaning; reading, writing and documenting use it.
#pragma once

#include <fmt/format.h>

#include <string>
#include <variant>
#include <vector>

#include "chapters/11-pretraining/recipe.hpp"

namespace YAML {
class Node;
}

namespace cria {

struct RecipeKey {
  const char* section;
  const char* name;
  std::variant<size_t*, double*, bool*, std::string*, RopeScaling::Kind*> value;  // in the recipe
  const char* meaning;

  std::string path() const { return fmt::format("{}.{}", section, name); }
  /// The value as YAML, which read() reads back.
  std::string text() const;
  /// False when the node is not what `expected` says.
  bool read(const YAML::Node& node) const;
  const char* expected() const;
};

using RecipeKeys = std::vector<RecipeKey>;

/// All of them, with their places in this recipe.
RecipeKeys recipe_keys(Recipe& recipe);

/// As read_recipe, parse_recipe and recipe_text of recipe.hpp do, with more keys in sections of their own: those of a
/// method of fine-tuning, whose values go where these point.
Recipe read_recipe(const std::filesystem::path& path, const RecipeKeys& more);
Recipe parse_recipe(const std::string& text, const std::string& name, const RecipeKeys& more);
std::string recipe_text(const Recipe& recipe, const RecipeKeys& more);
/// The table of only these keys, as recipe_documentation has it.
std::string recipe_documentation(const RecipeKeys& keys);

/// The known key that was most probably meant: of a similar path, or of a similar name in whatever section.
const RecipeKey& nearest_key(const RecipeKeys& known, const std::string& section, const std::string& name);

}  // namespace cria
