#include "chapters/12-open-weights/gguf_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "chapters/12-open-weights/stored_parameters.hpp"
#include "chapters/12-open-weights/tensor_names.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace {

/// Reads keys of the architecture, "llama.…", and remembers which, so that one that nobody asked for is refused: it
/// might change what the model computes.
class Keys {
 public:
  explicit Keys(const GgufFile& file) : file_(file) {}

  [[noreturn]] void fail(const std::string& message) const {
    throw UserError(fmt::format("{}: {}", file_.path().string(), message));
  }

  const GgufValue* find(const std::string& key) {
    asked_.insert(prefix + key);
    return file_.find(prefix + key);
  }
  size_t whole(const std::string& key, std::optional<size_t> otherwise = {}) {
    const GgufValue* value = find(key);
    if (!value && otherwise) return *otherwise;
    if (!value) fail(fmt::format("the key {}{} is missing", prefix, key));
    // Some files have a list with one number for each layer.
    constexpr size_t most_layers = 1 << 12;
    if (value->type() == GgufType::array && value->count() <= most_layers)
      if (const auto list = value->numbers(); list && !list->empty() && is_whole(list->front())) {
        if (std::ranges::all_of(*list, [&](double n) { return n == list->front(); })) return size_t(list->front());
        fail(fmt::format("{}{} differs from layer to layer, expected one number", prefix, key));
      }
    if (const auto number = value->whole()) return *number;
    fail(fmt::format("{}{} is no whole number", prefix, key));
  }
  double number(const std::string& key, std::optional<double> otherwise = {}) {
    const GgufValue* value = find(key);
    if (!value && otherwise) return *otherwise;
    if (const auto number = value ? value->number() : std::nullopt)
      // 1e-5 was meant where a float only comes near to it.
      return value->type() == GgufType::f32 ? std::stod(fmt::format("{}", float(*number))) : *number;
    fail(fmt::format("{}{} is {}", prefix, key, value ? "no number" : "missing"));
  }
  std::string text(const std::string& key, const std::string& otherwise) {
    const GgufValue* value = find(key);
    if (!value) return otherwise;
    if (const auto text = value->text()) return std::string(*text);
    fail(fmt::format("{}{} is no text", prefix, key));
  }
  void refuse_others() const {
    for (const auto& [key, value] : file_.metadata())
      if (key.starts_with(prefix) && !asked_.contains(key))
        fail(fmt::format("the key {} is not known, and might change what the model computes", in_quotes(key)));
  }

 private:
  static bool is_whole(double number) { return number >= 0 && number < 0x1p53 && number == std::floor(number); }

  static inline const std::string prefix = "llama.";
  const GgufFile& file_;
  std::set<std::string> asked_;
};

void read_rope(Keys& keys, const GgufFile& file, LlamaConfig& config) {
  config.rope_theta = keys.number("rope.freq_base", 10000);
  if (keys.whole("rope.dimension_count", config.head_dim) != config.head_dim)
    keys.fail("llama.rope.dimension_count is not the width of a head: RoPE of a part of it is not supported");
  RopeScaling& scaling = config.rope_scaling;
  const double old_factor = keys.number("rope.scale_linear", 1),
               factor = keys.number("rope.scaling.factor", old_factor);
  const std::string type = keys.text("rope.scaling.type", factor != 1 ? "linear" : "none");
  if (type == "linear")
    scaling.kind = RopeScaling::Kind::linear, scaling.factor = factor;
  else if (type != "none")
    keys.fail(fmt::format("llama.rope.scaling.type is {}, expected none or linear", in_quotes(type)));
  if (keys.number("rope.scaling.attn_factor", 1) != 1) keys.fail("llama.rope.scaling.attn_factor is not supported");
  for (const char* harmless : {"rope.scaling.original_context_length", "rope.scaling.finetuned"}) keys.find(harmless);
  const StoredTensor* divisors = file.tensors().find("rope_freqs.weight");
  if (!divisors) return;
  if (type == "linear") keys.fail("RoPE is scaled twice: by a factor and by rope_freqs.weight");
  std::vector<real> values(config.head_dim / 2);
  file.copy_to("rope_freqs.weight", std::vector<size_t>{values.size()}, values);
  if (std::ranges::all_of(values, [](real divisor) { return divisor == 1; })) return;
  scaling.kind = RopeScaling::Kind::divisors;
  scaling.divisors.assign(values.begin(), values.end());
}

// Before a model of this size is made.
void require_tensors(const GgufFile& file, const LlamaConfig& config) {
  std::set<std::string, std::less<>> known = {"rope_freqs.weight"};
  LlamaTensors<real> none;
  if (config.layers > file.tensors().all().size())
    throw UserError(fmt::format("{}: {} tensors are too few for {} layers", file.path().string(),
                                file.tensors().all().size(), config.layers));
  none.layers.resize(config.layers);
  for_each_parameter(config, none, [&](const std::string& name, auto shape, auto&) {
    const StoredTensor& tensor = file.tensors().at(*known.insert(parameter_name(name).gguf).first);
    if (!std::ranges::equal(tensor.shape, shape))
      throw UserError(fmt::format("{}: tensor \"{}\" has shape {}, but its keys ask for {}", file.path().string(),
                                  tensor.name, shape_text(tensor.shape), shape_text(shape)));
  });
  for (const StoredTensor& tensor : file.tensors().all())
    if (!known.contains(tensor.name))
      throw UserError(
          fmt::format("{}: tensor {} belongs to no Llama that cria knows (biases and mixtures of "
                      "experts are not supported)",
                      file.path().string(), in_quotes(tensor.name)));
}

// Whether a text begins with the begin token, where the file does not say: SentencePiece's kind does, and Llama 3.
bool adds_begin(const GgufFile& file) {
  const auto text = [&](const char* key) {
    const GgufValue* value = file.find(key);
    return value ? value->text().value_or("") : "";
  };
  if (const GgufValue* value = file.find("tokenizer.ggml.add_bos_token")) return value->truth().value_or(false);
  const std::string_view pattern = text("tokenizer.ggml.pre");
  return text("tokenizer.ggml.model") == "llama" || pattern == "llama-bpe" || pattern == "llama3" ||
         pattern == "llama-v3";
}

}  // namespace

ModelConfig gguf_config(const GgufFile& file) {
  Keys keys(file);
  const GgufValue* architecture = file.find("general.architecture");
  if (!architecture || architecture->text() != "llama")
    keys.fail(fmt::format("its architecture is {}, expected llama",
                          architecture && architecture->text() ? in_quotes(*architecture->text()) : "not said"));
  ModelConfig config;
  LlamaConfig& c = config.llama;
  const StoredTensor& embedding = file.tensors().at("token_embd.weight");
  if (embedding.shape.size() != 2) keys.fail("tensor \"token_embd.weight\" is no matrix");
  // example: gguf_numbers
  c.vocabulary_size = embedding.shape[0];  // llama.vocab_size may be missing, or count tokens that have no row
  keys.find("vocab_size");
  c.dim = keys.whole("embedding_length");
  c.hidden_dim = keys.whole("feed_forward_length");
  c.layers = keys.whole("block_count");
  c.heads = keys.whole("attention.head_count");
  c.kv_heads = keys.whole("attention.head_count_kv", c.heads);  // without the key, as many
  if (c.heads == 0) keys.fail("llama.attention.head_count is 0");
  c.head_dim = keys.whole("attention.key_length", c.dim / c.heads);
  if (keys.whole("attention.value_length", c.head_dim) != c.head_dim)
    keys.fail("llama.attention.value_length is another than key_length, which is not supported");
  c.context = keys.whole("context_length", 2048);
  c.norm_eps = keys.number("attention.layer_norm_rms_epsilon");
  c.tied_embeddings = !file.tensors().find("output.weight");
  // end of example
  read_rope(keys, file, c);
  for (const char* expected_0 : {"expert_count", "expert_used_count"})
    if (keys.whole(expected_0, 0) != 0) keys.fail("mixtures of experts are not supported (llama.expert_count)");
  keys.refuse_others();
  try {
    c.validate();
  } catch (const UserError& error) {
    keys.fail(error.what());
  }
  require_tensors(file, c);
  const auto token = [&](const char* key) -> std::optional<TokenId> {
    const GgufValue* value = file.find(std::string("tokenizer.ggml.") + key);
    const auto id = value ? value->whole() : std::nullopt;
    return id && *id < c.vocabulary_size ? std::optional(static_cast<TokenId>(*id)) : std::nullopt;
  };
  if (adds_begin(file)) config.begin_of_text = token("bos_token_id");
  for (const char* key : {"eos_token_id", "eot_token_id", "eom_token_id"})
    if (const auto id = token(key); id && !std::ranges::count(config.end_of_text, *id))
      config.end_of_text.push_back(*id);
  return config;
}

void read_gguf_weights(const GgufFile& file, const LlamaParameters& weights) {
  read_parameters(weights, [&](const ParameterName& name, std::span<const size_t> shape, std::span<real> values) {
    file.copy_to(name.gguf, shape, values);
  });
}

}  // namespace cria
