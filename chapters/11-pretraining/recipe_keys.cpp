#include "chapters/11-pretraining/recipe_keys.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <type_traits>
#include <utility>

#include "lib/base/decimal.hpp"
#include "lib/base/edit_distance.hpp"

namespace cria {
namespace {

// Divisors have no word: they are a list, which only files of weights hold.
constexpr std::pair<const char*, RopeScaling::Kind> rope_scalings[] = {
    {"none", RopeScaling::Kind::none}, {"linear", RopeScaling::Kind::linear}, {"llama3", RopeScaling::Kind::llama3}};

template <class Number>
bool read_value(const YAML::Node& node, Number& value) requires std::is_arithmetic_v<Number> {
  return node.IsScalar() && read_decimal(node.Scalar(), value);
}
bool read_value(const YAML::Node& node, bool& value) { return YAML::convert<bool>::decode(node, value); }
bool read_value(const YAML::Node& node, std::string& value) { return YAML::convert<std::string>::decode(node, value); }
bool read_value(const YAML::Node& node, RopeScaling::Kind& value) {
  for (const auto& [word, kind] : rope_scalings)
    if (node.IsScalar() && node.Scalar() == word) return value = kind, true;
  return false;
}

std::string value_text(double value) { return fmt::format("{}", value); }  // the shortest that reads back the same
std::string value_text(RopeScaling::Kind value) {
  return std::ranges::find(rope_scalings, value, [](const auto& scaling) { return scaling.second; })->first;
}
template <class Value>
std::string value_text(const Value& value) {
  YAML::Emitter yaml;  // quotes what needs it, such as a newline
  yaml << value;
  return yaml.c_str();
}

const char* expected_of(size_t*) { return "a whole number, 0 or more, in plain decimal"; }
const char* expected_of(double*) { return "a number in plain decimal"; }
const char* expected_of(bool*) { return "true or false"; }
const char* expected_of(std::string*) { return "a word"; }
const char* expected_of(RopeScaling::Kind*) { return "none, linear or llama3"; }

}  // namespace

bool RecipeKey::read(const YAML::Node& node) const {
  return std::visit([&](auto* place) { return read_value(node, *place); }, value);
}

std::string RecipeKey::text() const {
  return std::visit([](auto* place) { return value_text(std::as_const(*place)); }, value);
}

const char* RecipeKey::expected() const {
  return std::visit([](auto* place) { return expected_of(place); }, value);
}

RecipeKeys recipe_keys(Recipe& r) {
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
      {"model", "rope_scaling", &m.rope_scaling.kind, "how wavelengths are stretched: none, linear or llama3"},
      {"model", "rope_factor", &m.rope_scaling.factor, "by how much"},
      {"model", "rope_low_turns", &m.rope_scaling.low_turns,
       "llama3: a frequency that turns less often in the original context is divided by the factor"},
      {"model", "rope_high_turns", &m.rope_scaling.high_turns, "llama3: one that turns more often is kept"},
      {"model", "rope_original_context", &m.rope_scaling.original_context,
       "llama3: tokens in a sequence before the wavelengths were stretched"},
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

const RecipeKey& nearest_key(const RecipeKeys& known, const std::string& section, const std::string& name) {
  const std::string path = section + "." + name;
  return *std::ranges::min_element(known, {}, [&](const RecipeKey& key) {
    return std::min(edit_distance(path, key.path()), edit_distance(name, key.name) + (section == key.section ? 0 : 1));
  });
}

}  // namespace cria
