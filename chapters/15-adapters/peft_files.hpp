// Chapter 15: an adapter as PEFT writes and reads it (github.com/huggingface/peft): a folder with adapter_config.json
// and adapter_model.safetensors.
#pragma once

#include <filesystem>

#include "chapters/15-adapters/lora.hpp"

namespace cria {

/// Both files, each whole or not at all, the weights last. `base` is what the config names as the model that the
/// adapter belongs to. Throws UserError when they cannot be written.
void save_adapter(const std::filesystem::path& folder, const Lora& lora, const std::string& base);

/// An adapter for a model of that configuration. Throws UserError, one line with the file, for an adapter of another
/// kind or model, one with tensors that no linear layer has, and a setting that would change numbers in a way that
/// cria does not compute.
Lora load_adapter(const std::filesystem::path& folder, const LlamaConfig& config);

}  // namespace cria
