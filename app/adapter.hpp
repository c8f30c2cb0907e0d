// The option --adapter of the commands that run a model.
#pragma once

#include <string>

#include "chapters/08-llama/parameters.hpp"

namespace cria {

inline constexpr const char* adapter_help =
    "A folder with a LoRA adapter of PEFT's (adapter_config.json), which the model is run with";

/// The weights with the adapter in the folder; without one, as they are.
LlamaWeights with_adapter(const LlamaWeights& weights, const std::string& folder);

}  // namespace cria
