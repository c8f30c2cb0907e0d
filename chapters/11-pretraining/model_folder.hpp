// A trained model as a folder in Hugging Face's layout: config.json (LlamaForCausalLM), model.safetensors and
// tokenizer.json, so that transformers loads what cria trained, and cria what transformers saved. Weights in several
// files (stored_weights.hpp) are read, and written as one.
#pragma once

#include <filesystem>
#include <memory>

#include "chapters/01-bpe/tokenizer.hpp"
#include "chapters/08-llama/parameters.hpp"
#include "chapters/11-pretraining/model_config.hpp"
#include "chapters/11-pretraining/stored_weights.hpp"

namespace cria {

/// Reads every parameter. Throws UserError naming the tensor when one is missing or its shape does not fit the config.
void read_weights(const std::filesystem::path& file, const LlamaParameters& weights);
/// Writes each as the type under its name, F32, F16 or BF16; as F32 where there is none. Throws UserError for a number
/// that its type cannot hold.
void write_weights(const std::filesystem::path& file, const ParameterSet& weights, const StoredTypes& types = {});

struct Model {
  ModelConfig config;
  LlamaParameters weights;
  std::unique_ptr<Tokenizer> tokenizer;  // null when the folder has no tokenizer.json
  StoredTypes types = {};                // of the weights in the file
};

/// Throws UserError with one line when the folder holds no whole model, or its parts disagree.
Model load_model(const std::filesystem::path& folder);
/// The same where config and weights were opened already, in whichever way they are stored.
Model load_model(const std::filesystem::path& folder, const ModelConfig& config, const StoredWeights& stored);

/// Null when the folder has no tokenizer.json. Throws UserError for one with more tokens than the model.
std::unique_ptr<Tokenizer> load_folder_tokenizer(const std::filesystem::path& folder, const ModelConfig& config);
/// The same whatever the model.
std::unique_ptr<Tokenizer> load_folder_tokenizer(const std::filesystem::path& folder);

/// Writes the three files, each atomically, the weights last. Makes the folder when it is missing.
void save_model(const std::filesystem::path& folder, const ModelConfig& config, const LlamaParameters& weights,
                const Tokenizer& tokenizer);

}  // namespace cria
