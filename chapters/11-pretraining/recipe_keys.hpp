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

/// All of them, with their places in this recipe.
std::vector<RecipeKey> recipe_keys(Recipe& recipe);

/// The known key that was most probably meant: of a similar path, or of a similar name in whatever section.
const RecipeKey& nearest_key(const std::vector<RecipeKey>& known, const std::string& section, const std::string& name);

}  // namespace cria
