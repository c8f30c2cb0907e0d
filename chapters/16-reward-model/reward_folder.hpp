// Chapter 16: a reward model as a folder in Hugging Face's layout: config.json (LlamaForSequenceClassification with one
// label), model.safetensors and tokenizer.json, so that transformers loads what cria trained, and cria what others did.
//
// The body's tensors have the names of a language model's; the head is score.weight (1, C). transformers knows no bias.
// One that is not 0 is stored as score.bias (1), which transformers reports as not used: its rewards are then all less
// by the bias, and compare as they should.
#pragma once

#include <filesystem>
#include <memory>

#include "chapters/11-pretraining/model_folder.hpp"
#include "chapters/16-reward-model/value_model.hpp"

namespace cria {

struct RewardModel {
  ModelConfig config;
  ValueModel model;
  std::unique_ptr<Tokenizer> tokenizer;  // null when the folder has no tokenizer.json
};

/// Throws UserError with one line when the folder holds no whole reward model, as a language model's, which has no such
/// head.
RewardModel load_reward_model(const std::filesystem::path& folder);

/// Writes the three files, each atomically, the weights last. Makes the folder when it is missing.
void save_reward_model(const std::filesystem::path& folder, const ModelConfig& config, const ValueModel& model,
                       const Tokenizer& tokenizer);

/// The two of them that are a model without its tokenizer.
void write_reward_config(const std::filesystem::path& file, const ModelConfig& config);
void write_reward_weights(const std::filesystem::path& file, const ValueModel& model);

}  // namespace cria
