// Chapter 11, recipes: from YAML and back.
#include "chapters/11-pretraining/recipe.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>
#include <vector>

#include "chapters/01-bpe/split.hpp"
#include "chapters/11-pretraining/recipe_keys.hpp"
#include "chapters/11-pretraining/yaml_limits.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {
namespace {

constexpr size_t longest_recipe = 1 << 16;  // bytes

[[noreturn]] void fail(const std::string& file, const YAML::Mark& mark, const std::string& message) {
  throw UserError(fmt::format("{}:{}: {}", file, mark.line + 1, one_line(message)));  // keys may have any characters
}

// What validate() says, with this file's keys in place of config.json's.
std::string in_recipes_words(std::string message) {
  constexpr std::pair<const char*, const char*> names[] = {
      {"vocab_size", "tokenizer.vocabulary"},
      {"the factor of RoPE's scaling", "model.rope_factor"},
      {"RoPE's low_freq_factor", "model.rope_low_turns"},
      {"high_freq_factor", "model.rope_high_turns"},
      {"RoPE's original_max_position_embeddings", "model.rope_original_context"},
      {"hidden_size", "model.dim"},
      {"intermediate_size", "model.hidden_dim"},
      {"num_hidden_layers", "model.layers"},
      {"num_attention_heads", "model.heads"},
      {"num_key_value_heads", "model.kv_heads"},
      {"head_dim", "model.head_dim"},
      {"max_position_embeddings", "data.context"},
      {"rms_norm_eps", "model.norm_eps"},
      {"rope_theta", "model.rope_theta"}};
  for (const auto& [name, key] : names)
    if (const size_t at = message.find(name); at != message.npos) message.replace(at, std::strlen(name), key);
  return message;
}

void check(const Recipe& r, const std::string& file) {
  const auto expect = [&](bool good, const char* message) {
    if (!good) throw UserError(fmt::format("{}: {}", file, message));
  };
  try {
    r.model.validate();
  } catch (const UserError& error) {
    throw UserError(fmt::format("{}: {}", file, in_recipes_words(error.what())));
  }
  expect(r.model.rope_scaling.kind != RopeScaling::Kind::none || r.model.rope_scaling.factor == 1,
         "model.rope_factor has no effect, as model.rope_scaling is none; expected linear or llama3");
  try {
    split_pattern_from_name(r.pattern);
  } catch (const UserError& error) {
    throw UserError(fmt::format("{}: tokenizer.pattern: {}", file, error.what()));
  }
  const TrainerOptions& t = r.training;
  expect(t.batch > 0 && t.micro_batch > 0 && t.lanes > 0,
         "data.batch, data.micro_batch and data.lanes must be at least 1");
  // Beyond these, sizes computed from them might overflow. validate() has seen to the context.
  expect(t.batch <= 1 << 20 && t.lanes <= 1 << 10, "data.batch must be at most 1048576, and data.lanes at most 1024");
  expect(t.micro_batch <= (1 << 24) / t.positions, "data.micro_batch times data.context must be at most 16777216");
  expect(r.learning_rate > 0, "optimiser.learning_rate must be more than 0");
  expect(r.warmup >= 0 && r.warmup < 1, "optimiser.warmup is a share of the run: 0 or more, and less than 1");
  expect(r.final_learning_rate >= 0 && r.final_learning_rate <= 1,
         "optimiser.final_learning_rate is a share of the highest: 0 to 1");
  expect(t.adamw.beta1 >= 0 && t.adamw.beta1 < 1 && t.adamw.beta2 >= 0 && t.adamw.beta2 < 1,
         "optimiser.beta1 and beta2 must be 0 or more, and less than 1");
  expect(t.adamw.eps >= 0, "optimiser.eps must be 0 or more");
  expect(t.adamw.weight_decay >= 0, "optimiser.weight_decay must be 0 or more");
  expect(t.clip_norm >= 0, "optimiser.clip_norm must be 0 or more");
  expect(!r.separator.empty(), "data.separator must not be empty");
  expect(r.validation >= 0 && r.validation < 1, "data.validation is a share of the file: 0 or more, and less than 1");
}

}  // namespace

Recipe::Recipe() {
  model.dim = 128;
  model.hidden_dim = 344;
  model.layers = 4;
  model.heads = 4;
  model.kv_heads = 4;
  model.head_dim = 32;
  model.vocabulary_size = vocabulary;
  training.batch = 8;
}

Recipe read_recipe(const std::filesystem::path& path) { return read_recipe(path, {}); }

Recipe read_recipe(const std::filesystem::path& path, const RecipeKeys& more) {
  return parse_recipe(read_file(path, longest_recipe), shown_path(path), more);
}

Recipe parse_recipe(const std::string& text, const std::string& file) { return parse_recipe(text, file, {}); }

Recipe parse_recipe(const std::string& text, const std::string& file, const RecipeKeys& more) {
  if (!is_utf8(text)) throw UserError(fmt::format("{}: this is not UTF-8, expected YAML", file));
  Recipe recipe;
  YAML::Node root;
  try {
    check_yaml_limits(text, file);
    root = YAML::Load(text);
  } catch (const YAML::Exception& error) {
    fail(file, error.mark, fmt::format("this is not YAML: {}", one_line(error.msg)));
  }
  if (root.IsNull()) return recipe;
  if (!root.IsMap()) fail(file, root.Mark(), "expected the sections model, tokenizer, optimiser and data");
  RecipeKeys known = recipe_keys(recipe);
  known.insert(known.end(), more.begin(), more.end());
  std::set<std::string> seen;
  const auto once = [&](const YAML::Node& key, const std::string& path) {
    if (!seen.insert(path).second) fail(file, key.Mark(), fmt::format("{} is there twice", path));
  };
  for (const auto& section : root) {
    const std::string section_name = section.first.Scalar();
    if (std::ranges::none_of(known, [&](const RecipeKey& key) { return section_name == key.section; }) &&
        !section.second.IsMap())
      fail(file, section.first.Mark(),
           fmt::format("unknown key {}; the nearest known one is {}", section_name,
                       nearest_key(known, "", section_name).path()));
    if (!section.second.IsMap() && !section.second.IsNull())
      fail(file, section.first.Mark(), fmt::format("section {} must hold keys with values", section_name));
    once(section.first, section_name);
    for (const auto& entry : section.second) {
      const RecipeKey& nearest = nearest_key(known, section_name, entry.first.Scalar());
      const std::string path = section_name + "." + entry.first.Scalar();
      if (path != nearest.path())
        fail(file, entry.first.Mark(),
             fmt::format("unknown key {}; the nearest known one is {}", path, nearest.path()));
      once(entry.first, path);
      if (const YAML::Node& value = entry.second; !nearest.read(value))
        fail(file, value.Mark(),
             fmt::format("{} is {}, expected {}", path, value.IsScalar() ? value.Scalar() : "no single value",
                         nearest.expected()));
    }
  }
  recipe.model.context = recipe.training.positions;
  recipe.model.vocabulary_size = recipe.vocabulary;
  check(recipe, file);
  return recipe;
}

std::string recipe_text(const Recipe& recipe) { return recipe_text(recipe, {}); }

std::string recipe_text(const Recipe& recipe, const RecipeKeys& more) {
  Recipe copy = recipe;
  RecipeKeys keys = recipe_keys(copy);
  keys.insert(keys.end(), more.begin(), more.end());
  std::string text, section;
  for (const RecipeKey& key : keys) {
    if (section != key.section) text += fmt::format("{}:\n", section = key.section);
    text += fmt::format("  {}: {}\n", key.name, key.text());
  }
  return text;
}

std::string recipe_documentation() {
  Recipe defaults;
  return recipe_documentation(recipe_keys(defaults));
}

std::string recipe_documentation(const RecipeKeys& keys) {
  std::string text = "| key | default | meaning |\n|---|---|---|\n";
  for (const RecipeKey& key : keys) {
    std::string value;
    for (const char c : key.text()) {
      if (c == '|') value += '\\';  // else it ends a cell
      value += c;
    }
    text += fmt::format("| `{}` | `{}` | {} |\n", key.path(), value, key.meaning);
  }
  return text;
}

}  // namespace cria
