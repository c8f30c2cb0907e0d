// Chapter 11, reading and writing config.json.
#include "chapters/11-pretraining/model_config.hpp"

#include <fmt/format.h>

#include "chapters/11-pretraining/json_keys.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/formats/json.hpp"

namespace cria {
namespace {

using OrderedJson = nlohmann::ordered_json;

// Known, and without effect on what a trained model computes.
constexpr std::string_view harmless[] = {
    // where it comes from, and how it was stored
    "transformers_version", "torch_dtype", "dtype", "name_or_path", "unsloth_version", "unsloth_fixed",
    "is_llama_config", "transformers.js_config", "tokenizer_class", "max_sequence_length",
    // of training
    "initializer_range", "attention_dropout", "hidden_dropout", "gradient_checkpointing",
    // how the same numbers are computed, and what is returned of them
    "use_cache", "pretraining_tp", "attn_implementation", "torchscript", "use_bfloat16", "tf_legacy_loss",
    "chunk_size_feed_forward", "output_attentions", "output_hidden_states", "output_scores", "return_dict",
    "return_dict_in_generate", "use_return_dict",
    // of other tasks and architectures
    "id2label", "label2id", "num_labels", "problem_type", "finetuning_task", "task_specific_params",
    "tie_encoder_decoder", "cross_attention_hidden_size", "decoder_start_token_id", "is_decoder",
    // tokens that generation does not need, and how to generate, which generation_config.json says since
    "pad_token_id", "sep_token_id", "prefix", "do_sample", "temperature", "top_k", "top_p", "typical_p", "max_length",
    "min_length", "num_beams", "num_beam_groups", "num_return_sequences", "diversity_penalty", "length_penalty",
    "repetition_penalty", "encoder_no_repeat_ngram_size", "no_repeat_ngram_size", "bad_words_ids", "early_stopping",
    "exponential_decay_length_penalty", "forced_bos_token_id", "forced_eos_token_id", "remove_invalid_values",
    "begin_suppress_tokens", "suppress_tokens"};

OrderedJson architectures(ModelKind kind) {
  return OrderedJson::array({kind == ModelKind::language ? "LlamaForCausalLM" : "LlamaForSequenceClassification"});
}

void require_kind(const JsonKeys& json, ModelKind kind) {
  const bool is_language = kind == ModelKind::language;
  const ModelKind other = is_language ? ModelKind::reward : ModelKind::language;
  const bool is_other =
      json.has("architectures") && json.value("architectures") == JsonKeys::Json(architectures(other));
  json.expect("architectures", {architectures(kind)},
              !is_other     ? ""
              : is_language ? "a reward model gives no probabilities"
                            : "a language model is a reward model without head");
  if (is_language) return;
  json.expect("num_labels", {1}, "a reward is one number");
  if (json.has("id2label") && json.value("id2label").size() != 1)
    json.fail(fmt::format("id2label has {} labels, expected one, the reward", json.value("id2label").size()));
}

// Of what config.json can say beside the numbers, this is what cria computes.
void require_llama(const JsonKeys& json, ModelKind kind) {
  json.expect("model_type", {"llama"});
  require_kind(json, kind);
  json.expect("hidden_act", {"silu", "swish"});  // two names of one function
  for (const char* key : {"attention_bias", "mlp_bias"}) json.expect(key, {false}, "biases are not supported");
  for (const char* key : {"use_sliding_window", "rope_interleaved", "is_encoder_decoder", "add_cross_attention"})
    json.expect(key, {false});
  json.expect("sliding_window", {}, "every token sees all before it");
  json.expect("pruned_heads", {JsonKeys::Json::object()});
  json.expect("partial_rotary_factor", {1});
  if (json.has("layer_types") && json.value("layer_types").is_array())
    for (const JsonKeys::Json& type : json.value("layer_types"))
      if (type != "full_attention")
        json.fail(fmt::format("layer_types has {}, expected only \"full_attention\"", shown_json(type)));
}

// "linear" and "llama3"; the older key for the name is "type".
void read_scaling(const JsonKeys& rope, RopeScaling& scaling) {
  for (const char* key : {"rope_type", "type"})
    rope.expect(key, {"default", "linear", "llama3"}, "this scaling of RoPE is not supported");
  const char* key = rope.has("rope_type") ? "rope_type" : "type";
  if (!rope.has(key) || rope.value(key) == "default") return;
  scaling.kind = rope.value(key) == "linear" ? RopeScaling::Kind::linear : RopeScaling::Kind::llama3;
  for (const char* needed : {"factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"})
    if (!rope.has(needed) && (scaling.kind == RopeScaling::Kind::llama3 || std::string_view(needed) == "factor"))
      rope.fail(fmt::format("the scaling of RoPE lacks {}", needed));
  scaling.factor = rope.number("factor", 1);
  scaling.low_turns = rope.number("low_freq_factor", scaling.low_turns);
  scaling.high_turns = rope.number("high_freq_factor", scaling.high_turns);
  scaling.original_context = rope.number("original_max_position_embeddings", scaling.original_context);
}

// Theta stands beside the other numbers, or since transformers 5 in rope_parameters; rope_scaling is read as that, too.
void read_rope(const JsonKeys& json, LlamaConfig& config) {
  std::optional<double> theta;
  const auto take = [&](const JsonKeys& keys) {
    if (!keys.has("rope_theta")) return;
    const double here = keys.number("rope_theta", 0);
    if (theta.value_or(here) != here) json.fail(fmt::format("rope_theta is both {} and {}", *theta, here));
    theta = here;
  };
  take(json);
  for (const char* place : {"rope_parameters", "rope_scaling"}) {
    const JsonKeys rope = json.object(place);
    read_scaling(rope, config.rope_scaling);
    rope.expect("partial_rotary_factor", {1});
    take(rope);
    rope.refuse_others();
  }
  config.rope_theta = theta.value_or(10000);
}

}  // namespace

ModelConfig read_config(const std::filesystem::path& file, ModelKind kind) {
  const JsonKeys json(file);
  json.expect("quantization_config", {}, "quantised weights are not read here");
  return read_config(json, kind);
}

ModelConfig read_config(const JsonKeys& json, ModelKind kind) {
  require_llama(json, kind);
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
  read_rope(json, c);
  c.tied_embeddings = json.flag("tie_word_embeddings", false);
  const std::vector<TokenId> begin = json.tokens("bos_token_id", c.vocabulary_size);
  if (!begin.empty()) config.begin_of_text = begin.front();
  config.end_of_text = json.tokens("eos_token_id", c.vocabulary_size);
  json.refuse_others(harmless);
  try {
    c.validate();
  } catch (const UserError& error) {
    json.fail(error.what());
  }
  return config;
}

namespace {

OrderedJson scaling_json(const RopeScaling& scaling) {
  switch (scaling.kind) {
    case RopeScaling::Kind::none:
      return nullptr;
    case RopeScaling::Kind::linear:
      return {{"rope_type", "linear"}, {"factor", scaling.factor}};
    case RopeScaling::Kind::llama3:
      return {{"rope_type", "llama3"},
              {"factor", scaling.factor},
              {"low_freq_factor", scaling.low_turns},
              {"high_freq_factor", scaling.high_turns},
              {"original_max_position_embeddings", size_t(scaling.original_context)}};
    case RopeScaling::Kind::divisors:
      break;
  }
  throw UserError("config.json has no word for a divisor of each of RoPE's frequencies, as this model has");
}

const char* torch_name(ElementType type) {
  require(type == ElementType::f32 || type == ElementType::f16 || type == ElementType::bf16, "write_config",
          "the type must be F32, F16 or BF16");
  return type == ElementType::f32 ? "float32" : type == ElementType::f16 ? "float16" : "bfloat16";
}

}  // namespace

void write_config(const std::filesystem::path& file, const ModelConfig& config, ElementType type, ModelKind kind) {
  const LlamaConfig& c = config.llama;
  const std::vector<TokenId>& end = config.end_of_text;
  OrderedJson json = {
      {"architectures", architectures(kind)},
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
      {"rope_scaling", scaling_json(c.rope_scaling)},
      {"hidden_act", "silu"},
      {"attention_bias", false},
      {"mlp_bias", false},
      {"tie_word_embeddings", c.tied_embeddings},
      {"bos_token_id", config.begin_of_text ? OrderedJson(*config.begin_of_text) : OrderedJson(nullptr)},
      {"eos_token_id", end.empty()       ? OrderedJson(nullptr)
                       : end.size() == 1 ? OrderedJson(end[0])
                                         : OrderedJson(end)},
      {"torch_dtype", torch_name(type)},
  };
  if (kind == ModelKind::reward) json["id2label"] = {{"0", "reward"}}, json["label2id"] = {{"reward", 0}};
  write_file_atomically(file, json.dump(2) + "\n");
}

}  // namespace cria
