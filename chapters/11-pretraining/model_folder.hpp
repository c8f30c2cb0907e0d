// A trained model as a folder in Hugging Face's layout: config.json (LlamaForCausalLM), model.safetensors and
// tokenizer.json, so that transformers loads what cria trained, and cria what transformers saved. Weights in several
// files (stored_weights.hpp) are read, and written as one.
#pragma once

#include <filesystem>
#include <memory>

#include "chapters/01-bpe/tokenizer.hpp"
#include "chapters/08-llama/parameters.hpp"
#include "chapters/11-pretraining/model_config.hpp"

namespace cria {

/// Reads every parameter. Throws UserError naming the tensor when one is missing or its shape does not fit the config.
void read_weights(const std::filesystem::path& file, const LlamaParameters& weights);
void write_weights(const std::filesystem::path& file, const LlamaParameters& weights);

struct Model {
  ModelConfig config;
  LlamaParameters weights;
  std::unique_ptr<Tokenizer> tokenizer;  // null when the folder has no tokenizer.json
};

/// Throws UserError with one line when the folder holds no whole model, or its parts disagree.
Model load_model(const std::filesystem::path& folder);

/// Writes the three files, each atomically, the weights last. Makes the folder when it is missing.
void save_model(const std::filesystem::path& folder, const ModelConfig& config, const LlamaParameters& weights,
                const Tokenizer& tokenizer);

}  // namespace cria
