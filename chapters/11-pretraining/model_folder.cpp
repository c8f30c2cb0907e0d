// Chapter 11, reading and writing a model's folder.
#include "chapters/11-pretraining/model_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "chapters/01-bpe/tokenizer_files.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/formats/safetensors.hpp"

namespace cria {
namespace {

using Json = nlohmann::ordered_json;

// Reads keys of one config.json, and says which one is wrong.
class ConfigReader {
 public:
  explicit ConfigReader(const std::filesystem::path& file) : file_(file.string()) {
    json_ = Json::parse(read_file(file), nullptr, false);
    if (!json_.is_object()) fail("this is not a JSON object; the file is damaged");
  }

  [[noreturn]] void fail(const std::string& message) const { throw UserError(fmt::format("{}: {}", file_, message)); }
  bool has(const char* key) const { return json_.contains(key) && !json_[key].is_null(); }

  size_t whole(const char* key) const {
    const Json& value = required(key);
    if (!value.is_number_integer() || value.get<std::int64_t>() < 0)
      fail(fmt::format("{} is {}, expected a whole number", key, value.dump()));
    return value.get<size_t>();
  }
  size_t whole(const char* key, size_t otherwise) const { return has(key) ? whole(key) : otherwise; }
  double number(const char* key, double otherwise) const {
    if (!has(key)) return otherwise;
    if (!json_[key].is_number()) fail(fmt::format("{} is {}, expected a number", key, json_[key].dump()));
    return json_[key].get<double>();
  }
  bool flag(const char* key, bool otherwise) const {
    if (!has(key)) return otherwise;
    if (!json_[key].is_boolean()) fail(fmt::format("{} is {}, expected true or false", key, json_[key].dump()));
    return json_[key].get<bool>();
  }
  /// An absent key passes; any other value than the expected one is something that this code does not compute.
  void expect(const char* key, const Json& value) const {
    if (has(key) && json_[key] != value)
      fail(fmt::format("{} is {}, expected {}", key, json_[key].dump(), value.dump()));
  }
  /// Some models list several end tokens; the first is taken.
  std::optional<TokenId> token(const char* key, size_t vocabulary) const {
    if (!has(key)) return std::nullopt;
    const Json& value = json_[key].is_array() && !json_[key].empty() ? json_[key][0] : json_[key];
    if (!value.is_number_unsigned() || value.get<size_t>() >= vocabulary)
      fail(fmt::format("{} is {}, expected a token id below vocab_size, which is {}", key, value.dump(), vocabulary));
    return value.get<TokenId>();
  }

 private:
  const Json& required(const char* key) const {
    if (!has(key)) fail(fmt::format("{} is missing", key));
    return json_[key];
  }

  std::string file_;
  Json json_;
};

}  // namespace

ModelConfig read_config(const std::filesystem::path& file) {
  const ConfigReader json(file);
  json.expect("model_type", "llama");
  json.expect("hidden_act", "silu");
  json.expect("attention_bias", false);
  json.expect("mlp_bias", false);
  if (json.has("rope_scaling")) json.fail("rope_scaling is set; scaled RoPE is not supported yet, expected null");

  ModelConfig config;
  LlamaConfig& c = config.llama;
  c.vocabulary_size = json.whole("vocab_size");
  c.dim = json.whole("hidden_size");
  c.hidden_dim = json.whole("intermediate_size");
  c.layers = json.whole("num_hidden_layers");
  c.heads = json.whole("num_attention_heads");
  c.kv_heads = json.whole("num_key_value_heads", c.heads);
  if (!json.has("head_dim") && (c.heads == 0 || c.dim % c.heads != 0))
    json.fail(fmt::format("hidden_size is {} and num_attention_heads is {}: the second must divide the first", c.dim,
                          c.heads));
  c.head_dim = json.has("head_dim") ? json.whole("head_dim") : c.dim / c.heads;
  c.context = json.whole("max_position_embeddings", 2048);
  c.norm_eps = json.number("rms_norm_eps", 1e-6);
  c.rope_theta = json.number("rope_theta", 10000);
  c.tied_embeddings = json.flag("tie_word_embeddings", false);
  config.begin_of_text = json.token("bos_token_id", c.vocabulary_size);
  config.end_of_text = json.token("eos_token_id", c.vocabulary_size);
  try {
    c.validate();
  } catch (const UserError& error) {
    json.fail(error.what());
  }
  return config;
}

void write_config(const std::filesystem::path& file, const ModelConfig& config) {
  const LlamaConfig& c = config.llama;
  const auto token = [](const std::optional<TokenId>& id) { return id ? Json(*id) : Json(nullptr); };
  const Json json = {
      {"architectures", {"LlamaForCausalLM"}},
      {"model_type", "llama"},
      {"vocab_size", c.vocabulary_size},
      {"hidden_size", c.dim},
      {"intermediate_size", c.hidden_dim},
      {"num_hidden_layers", c.layers},
      {"num_attention_heads", c.heads},
      {"num_key_value_heads", c.kv_heads},
      {"head_dim", c.head_dim},
      {"max_position_embeddings", c.context},
      {"rms_norm_eps", c.norm_eps},
      {"rope_theta", c.rope_theta},
      {"rope_scaling", nullptr},
      {"hidden_act", "silu"},
      {"attention_bias", false},
      {"mlp_bias", false},
      {"tie_word_embeddings", c.tied_embeddings},
      {"bos_token_id", token(config.begin_of_text)},
      {"eos_token_id", token(config.end_of_text)},
      {"torch_dtype", "float32"},
  };
  write_file_atomically(file, json.dump(2) + "\n");
}

namespace {

// Before a model of this size is made: a config that is wrong may ask for more memory than there is.
void require_tensors(const std::filesystem::path& file, const LlamaConfig& config) {
  const SafetensorsFile stored(file);
  if (config.layers > stored.tensors().size())
    throw UserError(fmt::format("{}: {} tensors are too few for num_hidden_layers {}", file.string(),
                                stored.tensors().size(), config.layers));
  LlamaTensors<real> none;
  none.layers.resize(config.layers);
  for_each_parameter(config, none, [&](const std::string& name, auto shape, auto&) {
    const StoredTensor& tensor = stored.tensor(name);
    if (!std::ranges::equal(tensor.shape, shape))
      throw UserError(fmt::format("{}: tensor \"{}\" has shape {}, but config.json asks for {}", file.string(), name,
                                  shape_text(tensor.shape), shape_text(shape)));
  });
}

}  // namespace

void read_weights(const std::filesystem::path& file, const LlamaParameters& weights) {
  const SafetensorsFile stored(file);
  weights.for_each([&](const std::string& name, const auto& view) { stored.copy_to(name, view); });
}

void write_weights(const std::filesystem::path& file, const LlamaParameters& weights) {
  std::vector<TensorToWrite> tensors;
  weights.for_each([&](const std::string& name, const auto& view) {
    tensors.push_back({name, {view.shape().begin(), view.shape().end()}, view.span()});
  });
  write_safetensors(file, tensors);
}

Model load_model(const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder / "config.json"))
    throw UserError(fmt::format("{} holds no model: expected config.json, model.safetensors and tokenizer.json in it",
                                folder.string()));
  const ModelConfig config = read_config(folder / "config.json");
  require_tensors(folder / "model.safetensors", config.llama);
  Model model{config, LlamaParameters(config.llama), nullptr};
  read_weights(folder / "model.safetensors", model.weights);
  if (std::filesystem::exists(folder / "tokenizer.json")) {
    model.tokenizer = std::make_unique<Tokenizer>(load_tokenizer(folder));
    if (model.tokenizer->vocabulary_size() > config.llama.vocabulary_size)
      throw UserError(fmt::format("{}: the tokenizer has {} tokens and the model {}; they do not belong together",
                                  folder.string(), model.tokenizer->vocabulary_size(), config.llama.vocabulary_size));
  }
  return model;
}

void save_model(const std::filesystem::path& folder, const ModelConfig& config, const LlamaParameters& weights,
                const Tokenizer& tokenizer) {
  std::filesystem::create_directories(folder);
  write_config(folder / "config.json", config);
  save_tokenizer(tokenizer.model(), folder);
  write_weights(folder / "model.safetensors", weights);
}

}  // namespace cria
