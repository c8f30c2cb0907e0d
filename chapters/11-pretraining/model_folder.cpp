// Chapter 11, reading and writing a model's folder.
#include "chapters/11-pretraining/model_folder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "chapters/01-bpe/tokenizer_files.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/formats/safetensors.hpp"

namespace cria {
namespace {

// Before a model of this size is made: a config that is wrong may ask for more memory than there is.
void require_tensors(const std::filesystem::path& file, const LlamaConfig& config) {
  const SafetensorsFile stored(file);
  if (config.layers > stored.tensors().size())
    throw UserError(fmt::format("{}: {} tensors are too few for num_hidden_layers {}", file.string(),
                                stored.tensors().size(), config.layers));
  LlamaTensors<real> none;
  none.layers.resize(config.layers);
  for_each_parameter(config, none, [&](const std::string& name, auto shape, auto&) {
    const StoredTensor& tensor = stored.tensor(name);
    if (!std::ranges::equal(tensor.shape, shape))
      throw UserError(fmt::format("{}: tensor \"{}\" has shape {}, but config.json asks for {}", file.string(), name,
                                  shape_text(tensor.shape), shape_text(shape)));
  });
}

}  // namespace

void read_weights(const std::filesystem::path& file, const LlamaParameters& weights) {
  const SafetensorsFile stored(file);
  weights.for_each([&](const std::string& name, const auto& view) { stored.copy_to(name, view); });
}

void write_weights(const std::filesystem::path& file, const LlamaParameters& weights) {
  std::vector<TensorToWrite> tensors;
  weights.for_each([&](const std::string& name, const auto& view) {
    tensors.push_back({name, {view.shape().begin(), view.shape().end()}, view.span()});
  });
  write_safetensors(file, tensors);
}

Model load_model(const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder / "config.json"))
    throw UserError(fmt::format("{} holds no model: expected config.json, model.safetensors and tokenizer.json in it",
                                folder.string()));
  const ModelConfig config = read_config(folder / "config.json");
  require_tensors(folder / "model.safetensors", config.llama);
  Model model{config, LlamaParameters(config.llama), nullptr};
  read_weights(folder / "model.safetensors", model.weights);
  if (std::filesystem::exists(folder / "tokenizer.json")) {
    model.tokenizer = std::make_unique<Tokenizer>(load_tokenizer(folder));
    if (model.tokenizer->vocabulary_size() > config.llama.vocabulary_size)
      throw UserError(fmt::format("{}: the tokenizer has {} tokens and the model {}; they do not belong together",
                                  folder.string(), model.tokenizer->vocabulary_size(), config.llama.vocabulary_size));
  }
  return model;
}

void save_model(const std::filesystem::path& folder, const ModelConfig& config, const LlamaParameters& weights,
                const Tokenizer& tokenizer) {
  std::filesystem::create_directories(folder);
  write_config(folder / "config.json", config);
  save_tokenizer(tokenizer.model(), folder);
  write_weights(folder / "model.safetensors", weights);
}

}  // namespace cria
