// The option --adapter of the commands that run a model.
#pragma once

#include <filesystem>
#include <string>

#include "chapters/12-open-weights/packed_model.hpp"

namespace cria {

inline constexpr const char* adapter_help =
    "A folder with an adapter (adapter_config.json), LoRA or LLaMA-Adapter, which the model is run with";

/// The weights with the adapter in the folder; without one, as they are.
LlamaWeights with_adapter(const LlamaWeights& weights, const std::string& folder);

/// Where the chat format is looked for: in the adapter's folder, if it brings one, as it was trained in that; else
/// where the model is.
std::filesystem::path format_folder(const std::filesystem::path& path, const ModelView& model,
                                    const std::string& adapter);

}  // namespace cria
