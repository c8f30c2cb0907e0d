// Chapter 11, the model's folder: what is written is read back, and what is damaged is refused.
#include "chapters/11-pretraining/model_folder.hpp"

#include "lib/formats/safetensors.hpp"
#include "tests/chapters/saved_model.hpp"

using namespace cria;
using namespace cria::testing;

TEST_CASE("a saved model is loaded with the same configuration, weights and tokenizer") {
  const SavedModel saved(GENERATE(true, false));
  const Model model = load_model(saved.folder.path());
  CHECK(model.config.llama == saved.weights.config());
  CHECK(model.config.begin_of_text == 256);
  CHECK(model.config.end_of_text == std::vector<TokenId>{257});
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
  save_model(saved.folder.path(), {saved_config(), {}, {}}, saved.weights,
             Tokenizer(bytes_model({"<|a|>", "<|b|>", "<|c|>"})));
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
