// A text as a model reads it, to be measured on or calibrated with.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "chapters/11-pretraining/corpus.hpp"
#include "chapters/12-open-weights/packed_model.hpp"

namespace cria {

/// All of the text in windows of one sequence of `positions` tokens: documents between the tokens that end the model's,
/// where it knows any, else one long stream. `sources` are files, folders of files, "-", or "stories" of that seed.
/// Throws UserError for a model without tokenizer, and for a text that cannot be read or is empty.
Validation read_model_text(const std::filesystem::path& path, const ModelView& model,
                           const std::vector<std::string>& sources, std::uint64_t seed, size_t positions);

/// The same to calibrate with, in windows as long as llama.cpp's; of the stories, others than `cria eval` takes.
Validation read_calibration_text(const std::filesystem::path& path, const Model& model,
                                 const std::vector<std::string>& sources);

/// The first token that two tokenizers write otherwise, of those that both have.
std::optional<TokenId> first_other_token(const Tokenizer& one, const Tokenizer& other);

}  // namespace cria
