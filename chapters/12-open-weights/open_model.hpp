// One way in for every form in which a Llama is published. What a file is, its content says, not its name.
#pragma once

#include <filesystem>
#include <optional>

#include "chapters/11-pretraining/model_folder.hpp"
#include "chapters/12-open-weights/quantisation_config.hpp"

namespace cria {

/// A folder of Hugging Face's (config.json) or Meta's (params.json), a GGUF file or the first of its parts, or a model
/// of llama2.c. `tokenizer` is used in place of the model's own. Throws UserError with one line when it is none of
/// these, or not whole.
Model open_model(const std::filesystem::path& path, const std::filesystem::path& tokenizer = {});

/// Puts the tokenizer in the file `chosen`, if there is one, in place of the model's own. Throws UserError where the
/// two do not belong together.
void replace_tokenizer(const std::filesystem::path& model, const std::filesystem::path& chosen, ModelConfig& config,
                       std::unique_ptr<Tokenizer>& tokenizer);

/// The numbers that define the model, without reading its weights. The tokens that begin and end a text may be missing
/// where only a tokenizer file says them.
ModelConfig open_config(const std::filesystem::path& path);

/// How the weights of a Hugging Face folder are quantised; nothing where they are not, and for other forms.
std::optional<Quantisation> open_quantisation(const std::filesystem::path& path);

}  // namespace cria
