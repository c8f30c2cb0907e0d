// In which types a model is written: what its own file had, where the new one can have it, or what was asked for.
#pragma once

#include <optional>

#include "chapters/11-pretraining/model_folder.hpp"

namespace cria {

enum class ModelForm { folder, gguf };

/// Throws UserError for a type that the form does not have, or that cria does not write.
void require_type(ModelForm form, ElementType type);

/// The type of each parameter. A matrix gets `wanted`, and without that its own type; F32 where the form does not have
/// that, and F16 where its rows are no whole number of blocks. Norms are F32 in GGUF, as llama.cpp wants them. In a
/// folder they get `wanted`, and without that what most of the numbers get, if it holds them exactly.
StoredTypes types_to_write(const Model& model, ModelForm form, std::optional<ElementType> wanted);

/// What most of the numbers have; F32 where a name is missing.
ElementType main_type(const LlamaParameters& weights, const StoredTypes& types);

}  // namespace cria
