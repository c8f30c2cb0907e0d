// Chapter 15, PEFT's files. Which layers are adapted, the tensors say: target_modules may be a list, a pattern, or
// narrowed by other keys.
#include "chapters/15-adapters/peft_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "chapters/11-pretraining/json_keys.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/base/with_name.hpp"
#include "lib/formats/safetensors.hpp"

namespace cria {
namespace fs = std::filesystem;
namespace {

constexpr const char *config_file = "adapter_config.json", *weights_file = "adapter_model.safetensors";
constexpr std::string_view prefix = "base_model.model.", end_of_a = ".lora_A.weight", end_of_b = ".lora_B.weight";

// Which layers (the tensors say it), how the training began, and what describes the file.
constexpr std::string_view harmless[] = {
    "target_modules", "exclude_modules", "layers_to_transform",     "layers_pattern", "task_type",
    "inference_mode", "revision",        "base_model_name_or_path", "auto_mapping",   "peft_version",
    "megatron_core",  "runtime_config",  "ensure_weight_tying",     "loftq_config",   "eva_config",
    "lora_ga_config", "corda_config",    "qalora_group_size"};

LoraOptions read_options(const fs::path& file) {
  const JsonKeys keys(file);
  keys.expect("peft_type", {"LORA"}, "only LoRA is supported");
  keys.expect("bias", {"none"}, "a Llama has no biases");
  for (const char* key : {"use_dora", "fan_in_fan_out", "lora_bias", "use_qalora", "use_bdlora"})
    keys.expect(key, {false}, "it is not supported");
  for (const char* key : {"modules_to_save", "target_parameters", "trainable_token_indices", "layer_replication",
                          "alora_invocation_tokens", "arrow_config", "megatron_config"})
    keys.expect(key, {JsonKeys::Json::array(), JsonKeys::Json::object()}, "it is not supported");
  for (const char* key : {"rank_pattern", "alpha_pattern"})
    keys.expect(key, {JsonKeys::Json::object()}, "all layers have one rank and one alpha here");
  // Others change the base's weights before the training, or subtract from it.
  keys.expect("init_lora_weights", {true, false, "gaussian", "orthogonal", "eva"}, "others change the base model");
  LoraOptions options;
  options.rank = keys.whole("r");
  options.alpha = keys.number("lora_alpha", 8);
  options.rank_stabilised = keys.flag("use_rslora", false);
  options.dropout = keys.number("lora_dropout", 0);
  keys.refuse_others(harmless);
  if (!keys.has("target_modules")) return options;
  if (const auto& targets = keys.value("target_modules"); targets.is_array()) {
    options.targets.clear();
    for (const auto& target : targets)
      if (target.is_string()) options.targets.push_back(target.get<std::string>());
  }
  return options;
}

/// The modules that the file has tensors of.
std::set<std::string> adapted_modules(const SafetensorsFile& file, const std::vector<std::string>& modules) {
  std::set<std::string> adapted;
  for (const StoredTensor& tensor : file.tensors()) {
    const std::string& name = tensor.name;
    const bool is_part = name.starts_with(prefix) && (name.ends_with(end_of_a) || name.ends_with(end_of_b));
    if (!is_part)
      throw UserError(
          fmt::format("{} is no part of a LoRA adapter for a linear layer, expected names such as "
                      "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight",
                      in_quotes(name)));
    const std::string module = name.substr(prefix.size(), name.size() - prefix.size() - end_of_a.size());
    if (!std::ranges::count(modules, module))
      throw UserError(
          fmt::format("the adapter changes {}, which this model has not: it is for another model", in_quotes(module)));
    adapted.insert(module);
  }
  return adapted;
}

}  // namespace

void save_adapter(const fs::path& folder, const Lora& lora, const std::string& base) {
  fs::create_directories(folder);
  const LoraOptions& options = lora.options();
  nlohmann::ordered_json config = {{"peft_type", "LORA"},
                                   {"task_type", "CAUSAL_LM"},
                                   {"base_model_name_or_path", base},
                                   {"r", options.rank},
                                   {"lora_alpha", options.alpha},
                                   {"lora_dropout", options.dropout},
                                   {"use_rslora", options.rank_stabilised},
                                   {"target_modules", options.targets},
                                   {"bias", "none"},
                                   {"fan_in_fan_out", false},
                                   {"init_lora_weights", true},
                                   {"modules_to_save", nullptr},
                                   {"inference_mode", true}};
  if (options.alpha == std::floor(options.alpha)) config["lora_alpha"] = std::int64_t(options.alpha);
  write_file_atomically(folder / config_file,
                        config.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  std::vector<TensorToWrite> tensors;
  lora.for_each([&](const std::string& name, const auto& view) {
    tensors.push_back({name, {view.shape().begin(), view.shape().end()}, view.span()});
  });
  write_safetensors(folder / weights_file, tensors);
}

Lora load_adapter(const fs::path& folder, const LlamaConfig& config) {
  if (!fs::exists(folder / config_file))
    throw UserError(
        fmt::format("{} holds no adapter: expected {} and {} in it", folder.string(), config_file, weights_file));
  const LoraOptions options = read_options(folder / config_file);
  const SafetensorsFile file(folder / weights_file);
  return with_name(folder, [&] {
    const std::set<std::string> adapted = adapted_modules(file, linear_modules(config));
    Lora lora(config, options, [&](const std::string& module) { return adapted.contains(module); });
    lora.for_each([&](const std::string& name, const auto& view) { file.copy_to(name, view); });
    return lora;
  });
}

}  // namespace cria
