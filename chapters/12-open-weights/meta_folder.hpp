// Llamas as Meta publishes them: params.json, consolidated.00.pth, 01, …, one for each device of the training, and
// tokenizer.model.
#pragma once

#include <filesystem>

#include "chapters/11-pretraining/model_folder.hpp"

namespace cria {

/// Joins the parts and turns the rows of query and key from pairs (2i, 2i + 1) to (i, i + Dh/2). Throws UserError
/// naming the file and the key or tensor when anything is missing, does not fit, or is not understood.
Model load_meta_folder(const std::filesystem::path& folder);

/// What params.json and the shapes of the tensors say, without reading weights.
LlamaConfig meta_config(const std::filesystem::path& folder);

}  // namespace cria
