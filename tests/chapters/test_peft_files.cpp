// Chapter 15, PEFT's files: what is written is read back, under PEFT's names; and what cria does not compute is
// refused.
#include "chapters/15-adapters/peft_files.hpp"

#include <fstream>
#include <nlohmann/json.hpp>

#include "lib/base/file.hpp"
#include "lib/formats/safetensors.hpp"
#include "tests/chapters/refusal.hpp"
#include "tests/chapters/tiny_llama.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

Lora some_adapter(const LoraOptions& options = {.rank = 2, .alpha = 4, .targets = {"q_proj", "down_proj"}}) {
  Lora lora(tiny(), options);
  Random random(3);
  for (real& value : lora.flat()) value = real(float(random.normal()));
  return lora;
}

/// A folder with an adapter whose config has one value changed.
std::string refusal_with(const std::string& key, const nlohmann::json& value) {
  const TemporaryFolder folder;
  save_adapter(folder.path(), some_adapter(), "base");
  auto config = nlohmann::json::parse(read_file(folder / "adapter_config.json"));
  config[key] = value;
  std::ofstream(folder / "adapter_config.json") << config;
  return refusal_of(folder, [](const auto& path) { load_adapter(path, tiny()); });
}

}  // namespace

TEST_CASE("an adapter is written under PEFT's names and read back bit for bit") {
  const TemporaryFolder folder;
  const Lora lora = some_adapter(
      {.rank = 2, .alpha = 3.5, .rank_stabilised = true, .dropout = 0.1, .targets = {"q_proj", "down_proj"}});
  save_adapter(folder.path(), lora, "a/base");
  const SafetensorsFile file(folder / "adapter_model.safetensors");
  CHECK(file.tensors().size() == 8);
  const auto shape = [&](const char* name) { return file.tensor(name).shape; };
  CHECK(shape("base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight") == std::vector<size_t>{2, 11});
  CHECK(shape("base_model.model.model.layers.0.mlp.down_proj.lora_B.weight") == std::vector<size_t>{11, 2});
  const Lora read = load_adapter(folder.path(), tiny());
  CHECK(difference(read.flat(), lora.flat(), 0) == "");
  CHECK(lora_scale(read.options()) == lora_scale(lora.options()));
  CHECK(read.options().dropout == 0.1);
  CHECK(read.options().targets == lora.options().targets);
}

TEST_CASE("which layers an adapter has, its tensors say") {
  const TemporaryFolder folder;
  const Lora lora(tiny(), {.rank = 2},
                  [](const std::string& module) { return module == "model.layers.1.mlp.up_proj"; });
  save_adapter(folder.path(), lora, "base");
  const Lora read = load_adapter(folder.path(), tiny());
  REQUIRE(read.linears().size() == 1);
  CHECK(read.linears()[0].module == "model.layers.1.mlp.up_proj");
}

TEST_CASE("what PEFT writes by default is read") {
  for (const char* key : {"use_dora", "lora_bias", "fan_in_fan_out", "use_qalora"})
    CHECK(refusal_with(key, false) == "");
  for (const char* key : {"rank_pattern", "alpha_pattern", "loftq_config"})
    CHECK(refusal_with(key, nlohmann::json::object()) == "");
  for (const char* key : {"modules_to_save", "layers_to_transform", "trainable_token_indices", "arrow_config"})
    CHECK(refusal_with(key, nullptr) == "");
  CHECK(refusal_with("init_lora_weights", "gaussian") == "");
  CHECK(refusal_with("target_modules", "all-linear") == "");
  CHECK(refusal_with("peft_version", "0.18.0") == "");
}

TEST_CASE("a setting that would change numbers is refused by its name") {
  CHECK_THAT(refusal_with("peft_type", "IA3"), contains("peft_type is \"IA3\", expected \"LORA\""));
  CHECK_THAT(refusal_with("use_dora", true), contains("use_dora is true"));
  CHECK_THAT(refusal_with("bias", "all"), contains("bias is \"all\""));
  CHECK_THAT(refusal_with("rank_pattern", {{"q_proj", 4}}), contains("rank_pattern is"));
  CHECK_THAT(refusal_with("modules_to_save", {"lm_head"}), contains("modules_to_save is"));
  CHECK_THAT(refusal_with("init_lora_weights", "pissa"), contains("init_lora_weights is \"pissa\""));
  CHECK_THAT(refusal_with("lora_of_the_future", 3), contains("lora_of_the_future is 3, a key that cria does not know"));
  CHECK_THAT(refusal_with("r", 0), contains("the rank is 0"));
  CHECK_THAT(refusal_with("r", 1000000), contains("the rank is 1000000"));
  CHECK_THAT(refusal_with("lora_alpha", "much"), contains("lora_alpha is \"much\", expected a number"));
}

TEST_CASE("an adapter of another model, or with tensors that nobody reads, is refused") {
  const auto refusal = [](const std::vector<std::pair<std::string, std::vector<size_t>>>& tensors) {
    const TemporaryFolder folder;
    save_adapter(folder.path(), some_adapter(), "base");
    const std::vector<real> zeros(1000);
    std::vector<TensorToWrite> written;
    for (const auto& [name, shape] : tensors)
      written.push_back({name, shape, std::span(zeros).first(shape[0] * shape[1])});
    write_safetensors(folder / "adapter_model.safetensors", written);
    return refusal_of(folder, [](const auto& path) { load_adapter(path, tiny()); });
  };
  const std::string q = "base_model.model.model.layers.0.self_attn.q_proj.";
  CHECK(refusal({{q + "lora_A.weight", {2, 11}}, {q + "lora_B.weight", {24, 2}}}) == "");
  CHECK_THAT(refusal({{q + "lora_A.weight", {2, 12}}, {q + "lora_B.weight", {24, 2}}}),
             contains("has shape (2, 12), expected (2, 11)"));
  CHECK_THAT(refusal({{q + "lora_A.weight", {2, 11}}}), contains("lora_B.weight"));
  CHECK_THAT(refusal({{"base_model.model.model.layers.7.self_attn.q_proj.lora_A.weight", {2, 11}}}),
             contains("it is for another model"));
  CHECK_THAT(refusal({{"base_model.model.model.embed_tokens.lora_embedding_A", {2, 19}}}),
             contains("is no part of a LoRA adapter for a linear layer"));
  CHECK_THAT(refusal({}), contains("no target"));
  const TemporaryFolder empty;
  CHECK_THAT(refusal_of(empty, [](const auto& path) { load_adapter(path, tiny()); }), contains("holds no adapter"));
}
