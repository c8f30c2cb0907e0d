// Chapter 15, a LLaMA-Adapter's folder: what is written is read back, PEFT's form, and what is refused.
#include "chapters/15-adapters/llama_adapter_files.hpp"

#include <fstream>
#include <nlohmann/json.hpp>

#include "chapters/15-adapters/peft_files.hpp"
#include "lib/base/file.hpp"
#include "lib/formats/safetensors.hpp"
#include "tests/chapters/adapted_model.hpp"
#include "tests/chapters/refusal.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

LlamaAdapter some_llama_adapter(const LlamaAdapterOptions& options = {.prompt = 5, .layers = 1}) {
  LlamaAdapter adapter(tiny(), options);
  Random random(3);
  for (real& value : adapter.flat()) value = real(float(random.normal()));
  return adapter;
}

nlohmann::json config_in(const TemporaryFolder& folder) {
  return nlohmann::json::parse(read_file(folder / "adapter_config.json"));
}

std::string llama_adapter_refusal(const std::string& key, const nlohmann::json& value,
                                  const LlamaConfig& model = tiny()) {
  const TemporaryFolder folder;
  save_adapter(folder.path(), some_llama_adapter(), "base");
  auto config = config_in(folder);
  config[key] = value;
  std::ofstream(folder / "adapter_config.json") << config;
  return refusal_of(folder, [&](const auto& path) { load_llama_adapter(path, model); });
}

}  // namespace

TEST_CASE("a LLaMA-Adapter is written and read back bit for bit; with a gate a layer it is PEFT's") {
  const GateKind gate = GENERATE(GateKind::head, GateKind::layer);
  const TemporaryFolder folder;
  const LlamaAdapter adapter = some_llama_adapter({.prompt = 5, .layers = 1, .gate = gate});
  save_adapter(folder.path(), adapter, "a/base");
  CHECK(config_in(folder)["peft_type"] == (gate == GateKind::layer ? "ADAPTION_PROMPT" : "LLAMA_ADAPTER"));
  CHECK(config_in(folder)["adapter_len"] == 5);
  CHECK(config_in(folder)["adapter_layers"] == 1);
  CHECK(config_in(folder).contains("version") == (gate == GateKind::head));
  const SafetensorsFile file(folder / "adapter_model.safetensors");
  CHECK(file.tensors().size() == 2);
  const auto shape = [&](const std::string& name) {
    return file.tensor("base_model.model.model.layers.1.self_attn.adaption_" + name).shape;
  };
  CHECK(shape("prompt") == std::vector<size_t>{1, 5, 11});
  CHECK(shape("gate") == std::vector<size_t>{size_t(gate == GateKind::layer ? 1 : 6)});
  CHECK(is_llama_adapter(folder.path()));
  const LlamaAdapter read = load_llama_adapter(folder.path(), tiny());
  CHECK(difference(read.flat(), adapter.flat(), 0) == "");
  CHECK(read.options().gate == gate);
  CHECK(read.options().layers == 1);
}

TEST_CASE("of version 2 norms, scales and biases are in the file, too") {
  const TemporaryFolder folder;
  const LlamaAdapter adapter = some_llama_adapter({.version = 2, .prompt = 5, .layers = 1});
  save_adapter(folder.path(), adapter, "a/base");
  CHECK(config_in(folder)["version"] == 2);
  const SafetensorsFile file(folder / "adapter_model.safetensors");
  CHECK(file.tensors().size() == 2 + 2 * (2 + 2 * 7) + 1);
  const auto shape = [&](const std::string& name) { return file.tensor("base_model.model.model." + name).shape; };
  CHECK(shape("layers.0.mlp.down_proj.adapter_scale") == std::vector<size_t>{13});
  CHECK(shape("layers.0.mlp.down_proj.adapter_bias") == std::vector<size_t>{11});
  CHECK(shape("norm.weight") == std::vector<size_t>{11});
  const LlamaAdapter read = load_llama_adapter(folder.path(), tiny());
  CHECK(difference(read.flat(), adapter.flat(), 0) == "");
  CHECK(read.options().version == 2);
}

TEST_CASE("a model is run with an adapter of either kind, which its folder tells") {
  const LlamaParameters base = base_of(tiny());
  const TemporaryFolder folder;
  const LlamaAdapter adapter = some_llama_adapter();
  save_adapter(folder.path(), adapter, "base");
  CHECK(in_one_pass(with_adapter_in(folder.path(), base)) == in_one_pass(adapter.attached_to(base)));
  const TemporaryFolder of_lora;
  Lora lora(tiny(), {.rank = 2});
  Random random(3);
  for (real& value : lora.flat()) value = real(float(0.3 * random.normal()));
  save_adapter(of_lora.path(), lora, "base");
  CHECK_FALSE(is_llama_adapter(of_lora.path()));
  CHECK(in_one_pass(with_adapter_in(of_lora.path(), base)) == in_one_pass(lora.attached_to(base)));
  const TemporaryFolder empty;
  CHECK_THAT(refusal_of(empty, [&](const auto& path) { with_adapter_in(path, base); }), contains("holds no adapter"));
}

TEST_CASE("a LLaMA-Adapter for another model, or with a setting that nobody knows, is refused in a line") {
  CHECK(llama_adapter_refusal("peft_version", "0.18.0") == "");
  CHECK_THAT(llama_adapter_refusal("peft_type", "PREFIX_TUNING"), contains("peft_type is \"PREFIX_TUNING\", expected"));
  CHECK_THAT(llama_adapter_refusal("version", 3), contains("the version is 3, expected 1 or 2"));
  CHECK_THAT(llama_adapter_refusal("version", nullptr), contains("version is missing"));
  CHECK_THAT(llama_adapter_refusal("version", 2), contains("input_layernorm.weight"));
  CHECK_THAT(llama_adapter_refusal("target_modules", "attn"), contains("target_modules is \"attn\""));
  CHECK_THAT(llama_adapter_refusal("adapter_of_the_future", 3), contains("a key that cria does not know"));
  CHECK_THAT(llama_adapter_refusal("adapter_layers", 0), contains("adapter_layers is 0"));
  CHECK_THAT(llama_adapter_refusal("adapter_layers", 3), contains("the last 3 layers, but the model has 2"));
  CHECK_THAT(llama_adapter_refusal("adapter_layers", 2), contains("layers.0.self_attn.adaption_prompt"));
  CHECK_THAT(llama_adapter_refusal("adapter_len", 4), contains("has shape (1, 5, 11), expected (1, 4, 11)"));
  LlamaConfig other = tiny();
  other.layers = 3;
  CHECK_THAT(llama_adapter_refusal("version", 1, other), contains("it is for another model"));
  other = tiny();
  other.dim = 12;
  CHECK_THAT(llama_adapter_refusal("version", 1, other), contains("has shape (1, 5, 11), expected (1, 5, 12)"));
  CHECK_THAT(llama_adapter_refusal("peft_type", "ADAPTION_PROMPT"),
             contains("version is 1, a key that cria does not know"));
}
