// What the commands share that write a model which they have read.
#pragma once

#include <filesystem>
#include <string>

#include "chapters/12-open-weights/save_gguf.hpp"
#include "chapters/12-open-weights/written_types.hpp"

namespace cria {

/// Throws UserError when something is at `to` that may not be replaced: anything, without `overwrite`.
void require_free(const std::filesystem::path& to, ModelForm form, bool overwrite);

/// A model in any form, with all tokens that end a text.
Model open_to_rewrite(const std::filesystem::path& from);

/// A GGUF file with the metadata and chat template of the file that the model was read from.
void rewrite_as_gguf(const std::filesystem::path& from, const std::filesystem::path& to, const Model& model,
                     const StoredTypes& types, const std::optional<GgufBlocks>& blocks = {});

/// "new.gguf: 483648 parameters in 29 tensors (7 F32, 22 Q8_0)"
std::string contents_text(const std::filesystem::path& to, const Model& model, const StoredTypes& types);

}  // namespace cria
