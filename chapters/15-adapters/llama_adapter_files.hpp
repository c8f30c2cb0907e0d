// Chapter 15: a LLaMA-Adapter as a folder, with the files and names that PEFT has for one (adapter_config.json,
// adapter_model.safetensors). With GateKind::layer it is PEFT's own ADAPTION_PROMPT. PEFT has no gates by head and
// would read them wrong; such an adapter is a LLAMA_ADAPTER, a type of cria's that PEFT refuses by its name.
#pragma once

#include <filesystem>

#include "chapters/15-adapters/llama_adapter.hpp"

namespace cria {

/// Both files, each whole or not at all, the weights last. `base` is what the config names as the model that the
/// adapter belongs to. Throws UserError when they cannot be written.
void save_adapter(const std::filesystem::path& folder, const LlamaAdapter& adapter, const std::string& base);

/// Whether the folder's config says that it is one of these two.
bool is_llama_adapter(const std::filesystem::path& folder);

/// An adapter for a model of that configuration. Throws UserError, one line with the file, for one of another kind or
/// model, or with a setting that cria does not know.
LlamaAdapter load_llama_adapter(const std::filesystem::path& folder, const LlamaConfig& config);

/// The weights with the adapter in a folder, LoRA's or one of these; they keep it.
LlamaWeights with_adapter_in(const std::filesystem::path& folder, const LlamaWeights& base);

}  // namespace cria
