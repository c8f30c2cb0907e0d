// Chapter 15, a LLaMA-Adapter's folder.
#include "chapters/15-adapters/llama_adapter_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "chapters/11-pretraining/json_keys.hpp"
#include "chapters/15-adapters/adapted.hpp"
#include "chapters/15-adapters/peft_files.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/base/with_name.hpp"
#include "lib/formats/safetensors.hpp"

namespace cria {
namespace fs = std::filesystem;
namespace {

constexpr const char *adapter_config = "adapter_config.json", *adapter_weights = "adapter_model.safetensors";
constexpr const char *type_of_peft = "ADAPTION_PROMPT", *type_of_cria = "LLAMA_ADAPTER";

// What describes the file.
constexpr std::string_view descriptive[] = {"task_type",    "inference_mode", "revision", "base_model_name_or_path",
                                            "auto_mapping", "peft_version"};

LlamaAdapterOptions read_llama_adapter_options(const fs::path& file) {
  const JsonKeys keys(file);
  keys.expect("peft_type", {type_of_peft, type_of_cria});
  keys.expect("target_modules", {"self_attn"}, "a Llama's attention has that name");
  LlamaAdapterOptions options;
  options.gate = keys.value("peft_type") == type_of_peft ? GateKind::layer : GateKind::head;
  if (options.gate == GateKind::head) options.version = keys.whole("version");
  options.prompt = keys.whole("adapter_len");
  options.layers = keys.whole("adapter_layers");
  if (options.layers == 0) keys.fail("adapter_layers is 0, expected at least 1");
  keys.refuse_others(descriptive);
  return options;
}

/// A tensor's shape in the file: PEFT's prompts have a first axis, of sequences, of length 1.
template <size_t N>
std::vector<size_t> stored_shape(const View<real, N>& view) {
  std::vector<size_t> shape(view.shape().begin(), view.shape().end());
  if (N == 2) shape.insert(shape.begin(), 1);
  return shape;
}

void require_no_others(const SafetensorsFile& file, const LlamaAdapter& adapter) {
  for (const StoredTensor& tensor : file.tensors())
    if (std::ranges::none_of(adapter.layout(), [&](const auto& known) { return known.name == tensor.name; }))
      throw UserError(
          fmt::format("the adapter has a tensor {}, which one for this model has not: it is for another model",
                      in_quotes(tensor.name)));
}

}  // namespace

void save_adapter(const fs::path& folder, const LlamaAdapter& adapter, const std::string& base) {
  fs::create_directories(folder);
  const LlamaAdapterOptions& options = adapter.options();
  const bool of_peft = options.gate == GateKind::layer;
  nlohmann::ordered_json config = {{"peft_type", of_peft ? type_of_peft : type_of_cria},
                                   {"task_type", "CAUSAL_LM"},
                                   {"base_model_name_or_path", base},
                                   {"adapter_len", options.prompt},
                                   {"adapter_layers", options.layers},
                                   {"target_modules", "self_attn"},
                                   {"inference_mode", true}};
  if (!of_peft) config["version"] = options.version;
  write_file_atomically(folder / adapter_config,
                        config.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  std::vector<TensorToWrite> tensors;
  adapter.for_each([&](const std::string& name, const auto& view) {
    tensors.push_back({name, stored_shape(view), view.span()});
  });
  write_safetensors(folder / adapter_weights, tensors);
}

bool is_llama_adapter(const fs::path& folder) {
  if (!fs::exists(folder / adapter_config)) return false;
  const JsonKeys keys(folder / adapter_config);
  return keys.has("peft_type") && (keys.value("peft_type") == type_of_peft || keys.value("peft_type") == type_of_cria);
}

LlamaAdapter load_llama_adapter(const fs::path& folder, const LlamaConfig& config) {
  const LlamaAdapterOptions options = read_llama_adapter_options(folder / adapter_config);
  const SafetensorsFile file(folder / adapter_weights);
  return with_name(folder, [&] {
    LlamaAdapter adapter(config, options);
    require_no_others(file, adapter);
    adapter.for_each(
        [&](const std::string& name, const auto& view) { file.copy_to(name, stored_shape(view), view.span()); });
    return adapter;
  });
}

LlamaWeights with_adapter_in(const fs::path& folder, const LlamaWeights& base) {
  if (is_llama_adapter(folder)) return adapted(base, load_llama_adapter(folder, base.config));
  return adapted(base, load_adapter(folder, base.config));
}

}  // namespace cria
