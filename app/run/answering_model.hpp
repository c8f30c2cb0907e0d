// AnsweringModel: a model as the commands open it that let it answer, each with what it is to be sampled by.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "app/run/sample.hpp"
#include "chapters/12-open-weights/packed_model.hpp"

namespace cria {

struct AnsweringModel {
  std::filesystem::path path;
  std::string adapter;       // a folder; empty: none
  PackedModel model;         // with the adapter, and with a tokenizer
  SamplingOptions sampling;  // as was chosen, else as generation_config.json says
  std::vector<TokenId> ends;

  /// Where its chat format is looked for. Throws UserError for an adapter whose format cannot be read.
  std::filesystem::path format_folder() const;
};

/// `model` and `adapter` are as the options have them: empty for the small model of data/, and for none. Throws
/// UserError for a model that cannot be read or has no tokenizer, and for a choice out of its range.
AnsweringModel open_answering_model(const std::string& model, const std::string& adapter, const SamplingChoice& choice);

/// Throws UserError for a model that cannot be read, or has no tokenizer.
PackedModel open_with_tokenizer(const std::filesystem::path& path);

}  // namespace cria
