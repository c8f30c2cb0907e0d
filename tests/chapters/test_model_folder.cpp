// Chapter 11, the model's folder: what is written is read back, and what is damaged is refused.
#include "chapters/11-pretraining/model_folder.hpp"

#include <map>

#include "lib/formats/safetensors.hpp"
#include "tests/chapters/saved_model.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

/// The tensors of a model's file, to be written again in another way.
struct Tensors {
  std::map<std::string, std::pair<std::vector<size_t>, std::vector<real>>> all;

  explicit Tensors(const std::filesystem::path& path) {
    const SafetensorsFile file(path);
    for (const StoredTensor& tensor : file.tensors()) {
      std::vector<real> values(tensor.bytes.size() / element_size(tensor.type));
      file.copy_to(tensor.name, tensor.shape, values);
      all[tensor.name] = {tensor.shape, values};
    }
  }
  void rename(const std::string& from, const std::string& to) { all[to] = all.at(from), all.erase(from); }
  template <class Chosen>
  void write(const std::filesystem::path& path, Chosen&& chosen) const {
    std::vector<TensorToWrite> tensors;
    for (const auto& [name, tensor] : all)
      if (chosen(name)) tensors.push_back({name, tensor.first, tensor.second});
    write_safetensors(path, tensors);
  }
  void write(const std::filesystem::path& path) const {
    write(path, [](const std::string&) { return true; });
  }
};

}  // namespace

TEST_CASE("a saved model is loaded with the same configuration, weights and tokenizer") {
  const SavedModel saved(GENERATE(true, false));
  const Model model = load_model(saved.folder.path());
  CHECK(model.config.llama == saved.weights.config());
  CHECK(model.config.begin_of_text == 256);
  CHECK(model.config.end_of_text == std::vector<TokenId>{257});
  CHECK(difference(model.weights.flat(), saved.weights.flat(), 0) == "");
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

TEST_CASE("tied embeddings may be stored under the head's name alone, as safetensors drops either of the two") {
  const SavedModel saved;
  const auto file = saved.folder / "model.safetensors";
  Tensors tensors(file);
  tensors.rename("model.embed_tokens.weight", "lm_head.weight");
  tensors.write(file);
  CHECK(difference(load_model(saved.folder.path()).weights.flat(), saved.weights.flat(), 0) == "");
  tensors.all["model.embed_tokens.weight"] = tensors.all["lm_head.weight"];
  tensors.write(file);
  CHECK(saved.error() == "");
  tensors.all["lm_head.weight"].second[3] += 1;
  tensors.write(file);
  CHECK_THAT(saved.error(),
             contains("\"model.embed_tokens.weight\" and \"lm_head.weight\" differ, but config.json says "
                      "tie_word_embeddings"));
}

TEST_CASE("a tensor that a layer would compute with, and config.json does not ask for, is refused") {
  const SavedModel saved;
  const auto file = saved.folder / "model.safetensors";
  Tensors tensors(file);
  tensors.all["model.layers.0.self_attn.rotary_emb.inv_freq"] = {{2}, {1, 2}};
  tensors.all["value_head.weight"] = {{1}, {1}};
  tensors.write(file);
  CHECK(saved.error() == "");
  tensors.all["model.layers.0.self_attn.q_proj.bias"] = {{8}, std::vector<real>(8)};
  tensors.write(file);
  CHECK_THAT(saved.error(),
             contains("tensor \"model.layers.0.self_attn.q_proj.bias\" is not one that config.json asks for"));
}

TEST_CASE("weights in several files are those of one") {
  const SavedModel saved(GENERATE(true, false));
  const auto one = saved.folder / "model.safetensors", index = saved.folder / "model.safetensors.index.json";
  const Tensors tensors(one);
  const auto first = [](const std::string& name) { return name < "model.layers.1"; };
  tensors.write(saved.folder / "model-00001-of-00002.safetensors", first);
  tensors.write(saved.folder / "model-00002-of-00002.safetensors",
                [&](const std::string& name) { return !first(name); });
  std::filesystem::remove(one);
  CHECK_THAT(saved.error(), contains("index.json: it is missing, and says which of the files holds what"));
  nlohmann::json map;
  for (const auto& [name, tensor] : tensors.all)
    map[name] = first(name) ? "model-00001-of-00002.safetensors" : "model-00002-of-00002.safetensors";
  const auto write_index = [&](const nlohmann::json& weight_map) {
    std::ofstream(index) << nlohmann::json{{"metadata", {{"total_size", 1}}}, {"weight_map", weight_map}};
  };
  write_index(map);
  CHECK(difference(load_model(saved.folder.path()).weights.flat(), saved.weights.flat(), 0) == "");

  const auto with = [&](const char* name, const nlohmann::json& file) {
    nlohmann::json changed = map;
    changed[name] = file;
    write_index(changed);
    return saved.error();
  };
  CHECK_THAT(with("model.norm.weight", "../model.safetensors"),
             contains("index.json: weight_map has \"../model.safetensors\" for \"model.norm.weight\", "
                      "expected the name of a file in this folder"));
  CHECK_THAT(with("model.norm.weight", 3), contains("weight_map has 3 for \"model.norm.weight\""));
  CHECK_THAT(with("model.norm.weight", "model-00001-of-00002.safetensors"),
             contains("tensor \"model.norm.weight\" is not in model-00001-of-00002.safetensors"));
  CHECK_THAT(with("model.norm.weight", "model-00003-of-00002.safetensors"),
             contains("model-00003-of-00002.safetensors: No such file or directory"));
  std::filesystem::copy_file(saved.folder / "model-00001-of-00002.safetensors", saved.folder / "again.safetensors");
  CHECK_THAT(with("model.embed_tokens.weight", "again.safetensors"),
             contains("\" is both in again.safetensors and in"));
  write_index(nlohmann::json::array());
  CHECK_THAT(saved.error(), contains("index.json: weight_map is not an object"));
}

TEST_CASE("a folder that is no model's is refused with what was expected in it") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH(load_model(folder.path()), contains("holds no model: expected config.json, model.safetensors"));
  std::ofstream(folder / "config.json") << "{\"hidden_size\":";
  CHECK_THROWS_WITH(load_model(folder.path()), contains("config.json is not valid JSON at byte 16"));
  const SavedModel saved;
  std::filesystem::remove(saved.folder / "model.safetensors");
  CHECK_THAT(saved.error(), contains("model.safetensors: No such file or directory"));
}
