// config.json: what is understood, and that everything else is refused by name.
#include "tests/chapters/saved_model.hpp"

using namespace cria;
using namespace cria::testing;

using Json = nlohmann::json;

TEST_CASE("a config that leaves keys out has Hugging Face's defaults") {
  const SavedModel saved;
  for (const char* key : {"rms_norm_eps", "rope_theta", "max_position_embeddings", "bos_token_id", "rope_scaling"})
    saved.edit(key, absent);
  const ModelConfig config = saved.config();
  CHECK(config.llama.norm_eps == 1e-6);
  CHECK(config.llama.rope_theta == 10000);
  CHECK(config.llama.context == 2048);
  CHECK_FALSE(config.begin_of_text);
  saved.edit("hidden_size", 8);
  saved.edit("head_dim", absent);
  saved.edit("num_key_value_heads", absent);
  CHECK(saved.config().llama.head_dim == 4);
  CHECK(saved.config().llama.kv_heads == 2);
}

TEST_CASE("a config that no Llama can have is refused with the key and what was expected") {
  struct Wrong {
    const char* key;
    Json value;
    const char* message;
  };
  const SavedModel saved;
  const Wrong wrong = GENERATE(
      Wrong{"num_attention_heads", 0, "num_attention_heads is 0, expected at least 1"},
      Wrong{"num_key_value_heads", 0, "num_key_value_heads is 0, expected at least 1"},
      Wrong{"num_attention_heads", 3, "3 and num_key_value_heads is 2: the second must divide the first"},
      Wrong{"num_hidden_layers", 0, "num_hidden_layers is 0, expected at least 1"},
      Wrong{"head_dim", 3, "head_dim is 3, expected an even number"},
      Wrong{"hidden_size", absent, "hidden_size is missing"},
      Wrong{"hidden_size", "64", "hidden_size is \"64\", expected a whole number"},
      Wrong{"hidden_size", 6.5, "hidden_size is 6.5, expected a whole number"},
      Wrong{"hidden_size", -6, "hidden_size is -6, expected a whole number"},
      Wrong{"hidden_size", Json::array({6}), "hidden_size is [6], expected a whole number"},
      Wrong{"vocab_size", 16777217, "vocab_size is 16777217, expected at most 16777216"},
      Wrong{"hidden_size", std::uint64_t{1} << 61, "hidden_size is 2305843009213693952, expected at most 1048576"},
      Wrong{"num_hidden_layers", 1000000, "num_hidden_layers is 1000000, expected at most 4096"},
      Wrong{"head_dim", std::uint64_t{1} << 61, "head_dim is 2305843009213693952, expected at most 1048576"},
      Wrong{"max_position_embeddings", std::uint64_t{1} << 61, "is 2305843009213693952, expected at most 16777216"},
      Wrong{"rms_norm_eps", "small", "rms_norm_eps is \"small\", expected a number"},
      Wrong{"rms_norm_eps", -1, "rms_norm_eps is -1, expected 0 or more"},
      Wrong{"rope_theta", 0, "rope_theta is 0, expected more than 0"},
      Wrong{"tie_word_embeddings", 1, "tie_word_embeddings is 1, expected true or false"},
      Wrong{"rope_scaling",
            {{"rope_type", "yarn"}},
            "rope_scaling.rope_type is \"yarn\", expected \"default\" or \"linear\" or \"llama3\""},
      Wrong{"rope_scaling", {{"rope_type", "llama3"}}, "the scaling of RoPE lacks factor"},
      Wrong{"rope_scaling", {{"type", "linear"}, {"factor", -2}}, "is -2, expected more than 0"},
      Wrong{"model_type", "gpt2", "model_type is \"gpt2\", expected \"llama\""},
      Wrong{"hidden_act", "gelu", "hidden_act is \"gelu\", expected \"silu\""},
      Wrong{"attention_bias", true, "attention_bias is true, expected false: biases are not supported"},
      Wrong{"mlp_bias", true, "mlp_bias is true, expected false: biases are not supported"},
      Wrong{"architectures", {"LlamaForSequenceClassification"}, "expected [\"LlamaForCausalLM\"]"},
      Wrong{"quantization_config", {{"bits", 4}}, "quantization_config is an object, expected null: quantised weights"},
      Wrong{"sliding_window", 4096, "sliding_window is 4096, expected null: every token sees all before it"},
      Wrong{"layer_types", {"full_attention", "sliding_attention"}, "layer_types has \"sliding_attention\""},
      Wrong{"partial_rotary_factor", 0.5, "partial_rotary_factor is 0.5, expected 1"},
      Wrong{"eos_token_id", {2, 300}, "eos_token_id is [2,300], expected a token id below vocab_size"},
      Wrong{"eos_token_id", 258, "eos_token_id is 258, expected a token id below vocab_size, which is 258"},
      Wrong{"bos_token_id", -1, "bos_token_id is -1, expected a token id below vocab_size"});
  if (std::string(wrong.key) == "num_attention_heads" && wrong.value == 3) saved.edit("num_key_value_heads", 2);
  saved.edit(wrong.key, wrong.value);
  CHECK_THAT(saved.error(), contains("config.json: ") && contains(wrong.message));
}

TEST_CASE("several end tokens are read and written") {
  const SavedModel saved;
  saved.edit("eos_token_id", {7, 8});
  const ModelConfig config = saved.config();
  CHECK(config.end_of_text == std::vector<TokenId>{7, 8});
  write_config(saved.folder / "config.json", config);
  CHECK(saved.config().end_of_text == config.end_of_text);
}

TEST_CASE("heads without a width of their own must divide the model's width") {
  const SavedModel saved;
  saved.edit("head_dim", absent);
  saved.edit("num_attention_heads", 4);
  CHECK_THAT(saved.error(),
             contains("hidden_size is 6 and num_attention_heads is 4: the second must divide the first"));
}

TEST_CASE("theta stands at the top, or in rope_parameters as transformers 5 writes it") {
  const SavedModel saved;
  const char* place = GENERATE("rope_parameters", "rope_scaling");
  for (const char* type : {"rope_type", "type"}) {
    saved.edit(place, {{type, "default"}});
    CHECK(saved.config().llama.rope_theta == 123.456);
    saved.edit("rope_theta", absent);
    saved.edit(place, {{"rope_theta", 500000.0}, {type, "default"}});
    CHECK(saved.config().llama.rope_theta == 500000);
    saved.edit("rope_theta", 123.456);
    CHECK_THAT(saved.error(), contains("rope_theta is both 123.456 and 500000"));
  }
}

TEST_CASE("a kind of RoPE that is not computed is refused by the key that asks for it") {
  const SavedModel saved;
  const std::string place = GENERATE("rope_parameters", "rope_scaling");
  for (const char* type : {"rope_type", "type"})
    for (const char* kind : {"dynamic", "yarn", "longrope"}) {
      saved.edit(place, {{type, kind}, {"factor", 8.0}});
      CHECK_THAT(saved.error(), contains(place + "." + type + " is \"" + kind + "\", expected \"default\""));
    }
  saved.edit(place, {{"rope_type", "linear"}, {"factor", 8.0}});
  CHECK(saved.config().llama.rope_scaling == RopeScaling{.kind = RopeScaling::Kind::linear, .factor = 8});
  saved.edit(place, {{"type", "llama3"},
                     {"factor", 32.0},
                     {"low_freq_factor", 1.0},
                     {"high_freq_factor", 4.0},
                     {"original_max_position_embeddings", 8192}});
  CHECK(saved.config().llama.rope_scaling == RopeScaling{.kind = RopeScaling::Kind::llama3, .factor = 32});
  saved.edit(place, {{"factor", 8.0}});
  CHECK_THAT(saved.error(), contains(place + ".factor is 8.0, a key that cria does not know"));
  saved.edit(place, {{"full_attention", {{"rope_theta", 1e6}}}});
  CHECK_THAT(saved.error(), contains(place + ".full_attention is an object, a key that cria does not know"));
  saved.edit(place, "linear");
  CHECK_THAT(saved.error(), contains(place + " is \"linear\", expected an object or null"));
  saved.edit(place, nullptr);
  CHECK(saved.error() == "");
}

TEST_CASE("a key that is not known is refused by name, and passes when it is null") {
  const SavedModel saved;
  const std::string key = GENERATE("logit_scale", "qk_norm", "embedding_multiplier", "text_config", "use_rope");
  saved.edit(key, nullptr);
  CHECK(saved.error() == "");
  for (const Json& value : {Json(false), Json(1.5), Json{{"a", 1}}, Json("x")}) {
    saved.edit(key, value);
    CHECK_THAT(saved.error(), contains("config.json: " + key + " is ") && contains("a key that cria does not know"));
  }
}

TEST_CASE("what other programs note in a config without effect on its numbers is passed over") {
  const SavedModel saved;
  const Json notes = Json::parse(R"({
         "_name_or_path": "x", "architectures": ["LlamaForCausalLM"], "attention_dropout": 0.0, "dtype": "bfloat16",
         "hidden_act": "swish", "initializer_range": 0.02, "layer_types": ["full_attention", "full_attention"],
         "pad_token_id": 2, "pretraining_tp": 1, "rope_interleaved": false, "sliding_window": null,
         "torch_dtype": "bfloat16", "transformers.js_config": {"kv_cache_dtype": {"q4f16": "float16"}},
         "transformers_version": "5.0.0", "use_cache": true})");
  for (const auto& [key, value] : notes.items()) saved.edit(key, value);
  CHECK(saved.error() == "");
}

TEST_CASE("values in messages are short, however long or deep they are") {
  const SavedModel saved;
  Json deep = 1;
  for (int i = 0; i < 50; ++i) deep = Json{{"a", deep}};  // deeper is refused before the key is known
  for (const Json& value : {deep, Json(std::string(100000, 'x')), Json(std::vector<int>(100000, 1))}) {
    saved.edit("hidden_size", value);
    CHECK(saved.error().size() < 250);
    CHECK_THAT(saved.error(), contains("hidden_size is ") && contains("expected a whole number"));
  }
}
