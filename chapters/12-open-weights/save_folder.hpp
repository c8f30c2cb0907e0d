// Writes a Llama of any form as a folder in Hugging Face's layout.
#pragma once

#include <filesystem>

#include "chapters/11-pretraining/model_folder.hpp"

namespace cria {

/// The folder appears whole or not at all, and replaces one that is there. `from` is what the model was read from. Its
/// tokenizer, chat template and way to sample come along: those of a folder as they are, those of other forms written
/// anew. Throws UserError for what a folder cannot hold, or when it cannot be written.
void save_folder(const std::filesystem::path& folder, const Model& model, const StoredTypes& types,
                 const std::filesystem::path& from);

}  // namespace cria
