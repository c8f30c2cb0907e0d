// Chapter 16, reading and writing a reward model's folder.
#include "chapters/16-reward-model/reward_folder.hpp"

#include <fmt/format.h>

#include "chapters/01-bpe/tokenizer_files.hpp"
#include "lib/base/check.hpp"
#include "lib/formats/safetensors.hpp"

namespace cria {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view head = "score.weight", bias = "score.bias";

// Before memory is taken: a config that is wrong may ask for more than there is.
void require_fit(const fs::path& folder, const StoredWeights& stored, LlamaConfig body) {
  body.tied_embeddings = true;  // no other head is looked for
  stored.require_fit(body);
  if (!stored.find(head))
    throw UserError(
        fmt::format("{} holds a reward model without head: tensor \"{}\" is missing", folder.string(), head));
}

void read_weights(const StoredWeights& stored, const ValueModel& model) {
  model.for_each([&](const std::string& name, const auto& view) {
    const bool is_body = name != head && name != bias;
    const StoredTensor* tensor = is_body ? &stored.tensor(model.config(), name) : stored.find(name);
    if (tensor) stored.copy_to(*tensor, view.shape(), view.span());
  });
}

}  // namespace

RewardModel load_reward_model(const fs::path& folder) {
  if (!fs::exists(folder / "config.json"))
    throw UserError(fmt::format(
        "{} holds no reward model: expected config.json, model.safetensors and tokenizer.json in it", folder.string()));
  const ModelConfig config = read_config(folder / "config.json", ModelKind::reward);
  const StoredWeights stored(folder);
  require_fit(folder, stored, config.llama);
  RewardModel loaded{config, ValueModel(config.llama), load_folder_tokenizer(folder, config)};
  read_weights(stored, loaded.model);
  return loaded;
}

void write_reward_config(const fs::path& file, const ModelConfig& config) {
  write_config(file, config, ElementType::f32, ModelKind::reward);
}

void write_reward_weights(const fs::path& file, const ValueModel& model) {
  std::vector<TensorToWrite> tensors;
  model.for_each([&](const std::string& name, const auto& view) {
    if (name == bias && model.bias() == 0) return;
    tensors.push_back({name, {view.shape().begin(), view.shape().end()}, view.span()});
  });
  write_safetensors(file, tensors);
}

void save_reward_model(const fs::path& folder, const ModelConfig& config, const ValueModel& model,
                       const Tokenizer& tokenizer) {
  fs::create_directories(folder);
  write_reward_config(folder / "config.json", config);
  save_tokenizer(tokenizer.model(), folder);
  write_reward_weights(folder / "model.safetensors", model);
}

}  // namespace cria
