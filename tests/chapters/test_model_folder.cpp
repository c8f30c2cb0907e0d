// Chapter 11, the model's folder: what is written is read back, and what is damaged is refused.
#include "chapters/11-pretraining/model_folder.hpp"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "lib/base/file.hpp"
#include "lib/formats/safetensors.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

using Json = nlohmann::json;

LlamaConfig tiny(bool tied = true) {
  LlamaConfig c;
  c.vocabulary_size = 258, c.dim = 6, c.hidden_dim = 5, c.layers = 2, c.heads = 2, c.kv_heads = 1, c.head_dim = 4,
  c.context = 9;
  c.norm_eps = 1.0 / 3, c.rope_theta = 123.456, c.tied_embeddings = tied;
  return c;
}

/// Numbers that a float holds, in both builds: a model's file is of floats.
void randomise(const LlamaParameters& parameters, std::uint64_t seed) {
  Random random(seed);
  for (real& value : parameters.flat()) value = real(float(random.normal()));
}

/// A model's folder that a test may damage.
struct SavedModel {
  TemporaryFolder folder;
  LlamaParameters weights;

  explicit SavedModel(bool tied = true) : weights(tiny(tied)) {
    randomise(weights, 1);
    save_model(folder.path(), {tiny(tied), 256, 257}, weights, Tokenizer(bytes_model()));
  }

  /// Changes config.json.
  void edit(const std::string& key, const Json& value) const {
    Json json = Json::parse(read_file(folder / "config.json"));
    value.is_discarded() ? void(json.erase(key)) : void(json[key] = value);
    write_file_atomically(folder / "config.json", json.dump());
  }
  std::string error() const {
    try {
      load_model(folder.path());
    } catch (const UserError& refused) {
      const std::string message = refused.what();
      CHECK(message.find('\n') == std::string::npos);
      CHECK(message.find(folder.path().string()) != std::string::npos);
      return message;
    }
    return "";
  }
};

const Json absent = Json(Json::value_t::discarded);

}  // namespace

TEST_CASE("a saved model is loaded with the same configuration, weights and tokenizer") {
  const SavedModel saved(GENERATE(true, false));
  const Model model = load_model(saved.folder.path());
  CHECK(model.config.llama == saved.weights.config());
  CHECK(model.config.begin_of_text == 256);
  CHECK(model.config.end_of_text == 257);
  CHECK(std::ranges::equal(model.weights.flat(), saved.weights.flat()));
  REQUIRE(model.tokenizer);
  CHECK(model.tokenizer->decode(model.tokenizer->encode("a \xff")) == "a \xff");
  for (const auto& entry : std::filesystem::directory_iterator(saved.folder.path()))
    CHECK(entry.path().extension() != ".tmp");
}

TEST_CASE("the weights' file has Hugging Face's names, and no head of its own when that is tied") {
  const SavedModel saved(GENERATE(true, false));
  const SafetensorsFile file(saved.folder / "model.safetensors");
  CHECK(file.find("model.layers.1.self_attn.o_proj.weight"));
  CHECK(bool(file.find("lm_head.weight")) == !saved.weights.config().tied_embeddings);
  CHECK(file.tensors().size() == (saved.weights.config().tied_embeddings ? 20 : 21));
}

TEST_CASE("a config that leaves keys out has Hugging Face's defaults") {
  const SavedModel saved;
  for (const char* key : {"rms_norm_eps", "rope_theta", "max_position_embeddings", "bos_token_id", "rope_scaling"})
    saved.edit(key, absent);
  const ModelConfig config = read_config(saved.folder / "config.json");
  CHECK(config.llama.norm_eps == 1e-6);
  CHECK(config.llama.rope_theta == 10000);
  CHECK(config.llama.context == 2048);
  CHECK_FALSE(config.begin_of_text);
  saved.edit("hidden_size", 8);
  saved.edit("head_dim", absent);
  saved.edit("num_key_value_heads", absent);
  CHECK(read_config(saved.folder / "config.json").llama.head_dim == 4);
  CHECK(read_config(saved.folder / "config.json").llama.kv_heads == 2);
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
      Wrong{"rope_scaling", {{"rope_type", "llama3"}}, "rope_scaling is set; scaled RoPE is not supported yet"},
      Wrong{"model_type", "gpt2", "model_type is \"gpt2\", expected \"llama\""},
      Wrong{"hidden_act", "gelu", "hidden_act is \"gelu\", expected \"silu\""},
      Wrong{"attention_bias", true, "attention_bias is true, expected false"},
      Wrong{"eos_token_id", 258, "eos_token_id is 258, expected a token id below vocab_size, which is 258"},
      Wrong{"bos_token_id", -1, "bos_token_id is -1, expected a token id below vocab_size"});
  if (std::string(wrong.key) == "num_attention_heads" && wrong.value == 3) saved.edit("num_key_value_heads", 2);
  saved.edit(wrong.key, wrong.value);
  CHECK_THAT(saved.error(), contains("config.json: ") && contains(wrong.message));
}

TEST_CASE("several end tokens: the first is taken") {
  const SavedModel saved;
  saved.edit("eos_token_id", {7, 8});
  CHECK(read_config(saved.folder / "config.json").end_of_text == 7);
}

TEST_CASE("heads without a width of their own must divide the model's width") {
  const SavedModel saved;
  saved.edit("head_dim", absent);
  saved.edit("num_attention_heads", 4);
  CHECK_THAT(saved.error(),
             contains("hidden_size is 6 and num_attention_heads is 4: the second must divide the first"));
}

TEST_CASE("a config and weights that disagree are refused with the tensor and both shapes") {
  const SavedModel saved;
  saved.edit("intermediate_size", 7);
  CHECK_THAT(saved.error(),
             contains("model.safetensors: tensor \"model.layers.0.mlp.gate_proj.weight\" has shape (5, 6), "
                      "but config.json asks for (7, 6)"));
  saved.edit("intermediate_size", 1 << 20);  // refused before so much memory is asked for
  CHECK_THAT(saved.error(), contains("has shape (5, 6), but config.json asks for (1048576, 6)"));
  saved.edit("intermediate_size", 5);
  saved.edit("num_hidden_layers", 3);
  CHECK_THAT(saved.error(), contains("tensor \"model.layers.2.input_layernorm.weight\" is missing"));
  saved.edit("num_hidden_layers", 4096);
  CHECK_THAT(saved.error(), contains("20 tensors are too few for num_hidden_layers 4096"));
  saved.edit("num_hidden_layers", 2);
  saved.edit("tie_word_embeddings", false);
  CHECK_THAT(saved.error(), contains("tensor \"lm_head.weight\" is missing"));
  saved.edit("tie_word_embeddings", true);
  CHECK(saved.error() == "");
}

TEST_CASE("a tokenizer with more tokens than the model has rows is refused") {
  const SavedModel saved;
  save_model(saved.folder.path(), {tiny(), {}, {}}, saved.weights, Tokenizer(bytes_model({"<|a|>", "<|b|>", "<|c|>"})));
  CHECK_THAT(saved.error(), contains("the tokenizer has 259 tokens and the model 258"));
}

TEST_CASE("a weights' file that was cut off anywhere is refused") {
  const SavedModel saved;
  const std::string whole = read_file(saved.folder / "model.safetensors");
  for (size_t length = 0; length < whole.size(); length += length < 64 ? 1 : 97) {
    std::ofstream(saved.folder / "model.safetensors", std::ios::binary) << whole.substr(0, length);
    CAPTURE(length, whole.size());
    REQUIRE_THAT(saved.error(), contains("model.safetensors"));
  }
  std::ofstream(saved.folder / "model.safetensors", std::ios::binary) << whole.substr(0, whole.size() - 1);
  CHECK_THAT(saved.error(), contains("is it cut off?"));
  std::ofstream(saved.folder / "model.safetensors", std::ios::binary) << whole;
  CHECK(saved.error() == "");
}

TEST_CASE("a folder that is no model's is refused with what was expected in it") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH(load_model(folder.path()), contains("holds no model: expected config.json, model.safetensors"));
  std::ofstream(folder / "config.json") << "{\"hidden_size\":";
  CHECK_THROWS_WITH(load_model(folder.path()), contains("config.json: this is not a JSON object; the file is damaged"));
  const SavedModel saved;
  std::filesystem::remove(saved.folder / "model.safetensors");
  CHECK_THAT(saved.error(), contains("model.safetensors: No such file or directory"));
}
