// Chapter 11, recipes. One table lists every key with its place and meaning; reading, writing and documenting use it.
#include "chapters/11-pretraining/recipe.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include "chapters/01-bpe/split.hpp"
#include "chapters/11-pretraining/yaml_limits.hpp"
#include "lib/base/check.hpp"
#include "lib/base/decimal.hpp"
#include "lib/base/edit_distance.hpp"
#include "lib/base/file.hpp"

namespace cria {
namespace {

struct Key {
  const char* section;
  const char* name;
  std::variant<size_t*, double*, bool*, std::string*> value;
  const char* meaning;

  std::string path() const { return fmt::format("{}.{}", section, name); }
};

std::vector<Key> keys(Recipe& r) {
  LlamaConfig& m = r.model;
  TrainerOptions& t = r.training;
  return {
      {"model", "dim", &m.dim, "width of the residual stream"},
      {"model", "hidden_dim", &m.hidden_dim, "width inside the feed-forward"},
      {"model", "layers", &m.layers, "decoder layers"},
      {"model", "heads", &m.heads, "query heads"},
      {"model", "kv_heads", &m.kv_heads, "key and value heads; must divide heads"},
      {"model", "head_dim", &m.head_dim, "width of a head; even"},
      {"model", "norm_eps", &m.norm_eps, "added to the mean square in RMSNorm"},
      {"model", "rope_theta", &m.rope_theta, "base of RoPE's wavelengths"},
      {"model", "tied_embeddings", &m.tied_embeddings, "the output head is the embedding table"},
      {"tokenizer", "vocabulary", &r.vocabulary, "tokens that `--tokenizer bpe` learns"},
      {"tokenizer", "pattern", &r.pattern,
       "how text is split before merging: llama3, gpt2, none, smollm, qwen2 or cl100k"},
      {"optimiser", "learning_rate", &r.learning_rate, "the highest, reached after the warm-up"},
      {"optimiser", "final_learning_rate", &r.final_learning_rate, "at the end, as a share of the highest"},
      {"optimiser", "warmup", &r.warmup, "share of the run in which the rate rises"},
      {"optimiser", "beta1", &t.adamw.beta1, "decay of the gradient's running mean"},
      {"optimiser", "beta2", &t.adamw.beta2, "decay of its square's running mean"},
      {"optimiser", "eps", &t.adamw.eps, "added to the root of the second mean"},
      {"optimiser", "weight_decay", &t.adamw.weight_decay, "decoupled from the gradient"},
      {"optimiser", "decay_embedding", &t.adamw.decay_embedding, "decay the embedding too, so every matrix"},
      {"optimiser", "decay_all", &t.adamw.decay_all, "decay norms and embedding too"},
      {"optimiser", "clip_norm", &t.clip_norm, "gradients with a larger norm are scaled down to it; 0: never"},
      {"data", "batch", &t.batch, "sequences in a step"},
      {"data", "context", &t.positions, "tokens in a sequence"},
      {"data", "micro_batch", &t.micro_batch, "sequences that one thread takes at a time"},
      {"data", "lanes", &t.lanes, "the most threads that can share a step"},
      {"data", "separator", &r.separator, "stands between a file's documents; a text without it is one long stream"},
      {"data", "validation", &r.validation, "share of a file that is held out: its end"},
      {"data", "validation_tokens", &r.validation_tokens, "tokens to validate on, at most"},
      {"data", "evaluations", &r.evaluations, "validations, each with a checkpoint, in a run"},
  };
}

/// The known key that was most probably meant: of a similar path, or of a similar name in whatever section.
const Key& nearest_key(const std::vector<Key>& known, const std::string& section, const std::string& name) {
  const std::string path = section + "." + name;
  return *std::ranges::min_element(known, {}, [&](const Key& key) {
    return std::min(edit_distance(path, key.path()), edit_distance(name, key.name) + (section == key.section ? 0 : 1));
  });
}

[[noreturn]] void fail(const std::string& file, const YAML::Mark& mark, const std::string& message) {
  throw UserError(fmt::format("{}:{}: {}", file, mark.line + 1, message));
}

constexpr size_t longest_recipe = 1 << 16;  // bytes

void set(const Key& key, const YAML::Node& node, const std::string& file) {
  std::visit(
      [&](auto* value) {
        using T = std::remove_pointer_t<decltype(value)>;
        const char* expected = std::is_same_v<T, size_t>   ? "a whole number, 0 or more, in plain decimal"
                               : std::is_same_v<T, double> ? "a number in plain decimal"
                               : std::is_same_v<T, bool>   ? "true or false"
                                                           : "a word";
        try {
          if constexpr (std::is_same_v<T, size_t> || std::is_same_v<T, double>) {
            if (!node.IsScalar() || !read_decimal(node.Scalar(), *value)) throw YAML::Exception(node.Mark(), "");
          } else {
            *value = node.as<T>();
          }
        } catch (const YAML::Exception&) {
          fail(file, node.Mark(),
               fmt::format("{} is {}, expected {}", key.path(), node.IsScalar() ? node.Scalar() : "no single value",
                           expected));
        }
      },
      key.value);
}

std::string value_text(const Key& key) {
  if (const auto* number = std::get_if<double*>(&key.value))
    return fmt::format("{}", **number);  // the shortest that reads back the same
  YAML::Emitter yaml;                    // quotes what needs it, such as a newline
  std::visit([&](auto* value) { yaml << *value; }, key.value);
  return yaml.c_str();
}

// What validate() says, with this file's keys in place of config.json's.
std::string in_recipes_words(std::string message) {
  constexpr std::pair<const char*, const char*> names[] = {{"hidden_size", "model.dim"},
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
  training.batch = 8;
}

Recipe read_recipe(const std::filesystem::path& path) {
  return parse_recipe(read_file(path, longest_recipe), shown_path(path));
}

Recipe parse_recipe(const std::string& text, const std::string& file) {
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
  const std::vector<Key> known = keys(recipe);
  std::set<std::string> seen;
  const auto once = [&](const YAML::Node& key, const std::string& path) {
    if (!seen.insert(path).second) fail(file, key.Mark(), fmt::format("{} is there twice", path));
  };
  for (const auto& section : root) {
    const std::string section_name = section.first.Scalar();
    if (std::ranges::none_of(known, [&](const Key& key) { return section_name == key.section; }) &&
        !section.second.IsMap())
      fail(file, section.first.Mark(),
           fmt::format("unknown key {}; the nearest known one is {}", section_name,
                       nearest_key(known, "", section_name).path()));
    if (!section.second.IsMap() && !section.second.IsNull())
      fail(file, section.first.Mark(), fmt::format("section {} must hold keys with values", section_name));
    once(section.first, section_name);
    for (const auto& entry : section.second) {
      const Key& nearest = nearest_key(known, section_name, entry.first.Scalar());
      const std::string path = section_name + "." + entry.first.Scalar();
      if (path != nearest.path())
        fail(file, entry.first.Mark(),
             fmt::format("unknown key {}; the nearest known one is {}", path, nearest.path()));
      once(entry.first, path);
      set(nearest, entry.second, file);
    }
  }
  recipe.model.context = recipe.training.positions;
  check(recipe, file);
  return recipe;
}

std::string recipe_text(const Recipe& recipe) {
  Recipe copy = recipe;
  std::string text, section;
  for (const Key& key : keys(copy)) {
    if (section != key.section) text += fmt::format("{}:\n", section = key.section);
    text += fmt::format("  {}: {}\n", key.name, value_text(key));
  }
  return text;
}

std::string recipe_documentation() {
  Recipe defaults;
  std::string text = "| key | default | meaning |\n|---|---|---|\n";
  for (const Key& key : keys(defaults)) {
    std::string value;
    for (const char c : value_text(key)) {
      if (c == '|') value += '\\';  // else it ends a cell
      value += c;
    }
    text += fmt::format("| `{}` | `{}` | {} |\n", key.path(), value, key.meaning);
  }
  return text;
}

}  // namespace cria
