// Chapter 11, reading and writing a model's folder.
#include "chapters/11-pretraining/model_folder.hpp"

#include <fmt/format.h>

#include "chapters/01-bpe/tokenizer_files.hpp"
#include "lib/base/check.hpp"
#include "lib/formats/safetensors.hpp"

namespace cria {

void read_weights(const std::filesystem::path& file, const LlamaParameters& weights) {
  StoredWeights(file).copy_to(weights);
}

void write_weights(const std::filesystem::path& file, const ParameterSet& weights, const StoredTypes& types) {
  std::vector<TensorToWrite> tensors;
  weights.for_each([&](const std::string& name, const auto& view) {
    const auto type = types.find(name);
    tensors.push_back({name,
                       {view.shape().begin(), view.shape().end()},
                       view.span(),
                       type == types.end() ? ElementType::f32 : type->second});
  });
  write_safetensors(file, tensors);
}

Model load_model(const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder / "config.json"))
    throw UserError(fmt::format("{} holds no model: expected config.json, model.safetensors and tokenizer.json in it",
                                folder.string()));
  const ModelConfig config = read_config(folder / "config.json");
  return load_model(folder, config, StoredWeights(folder));
}

Model load_model(const std::filesystem::path& folder, const ModelConfig& config, const StoredWeights& stored) {
  stored.require_fit(config.llama);
  Model model{config, LlamaParameters(config.llama), nullptr, stored.types(config.llama)};
  stored.copy_to(model.weights);
  model.tokenizer = load_folder_tokenizer(folder, config);
  return model;
}

std::unique_ptr<Tokenizer> load_folder_tokenizer(const std::filesystem::path& folder, const ModelConfig& config) {
  std::unique_ptr<Tokenizer> tokenizer = load_folder_tokenizer(folder);
  if (tokenizer && tokenizer->vocabulary_size() > config.llama.vocabulary_size)
    throw UserError(fmt::format("{}: the tokenizer has {} tokens and the model {}; they do not belong together",
                                folder.string(), tokenizer->vocabulary_size(), config.llama.vocabulary_size));
  return tokenizer;
}

std::unique_ptr<Tokenizer> load_folder_tokenizer(const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder / "tokenizer.json")) return nullptr;
  return std::make_unique<Tokenizer>(load_tokenizer(folder));
}

void save_model(const std::filesystem::path& folder, const ModelConfig& config, const LlamaParameters& weights,
                const Tokenizer& tokenizer) {
  std::filesystem::create_directories(folder);
  write_config(folder / "config.json", config);
  save_tokenizer(tokenizer.model(), folder);
  write_weights(folder / "model.safetensors", weights);
}

}  // namespace cria
