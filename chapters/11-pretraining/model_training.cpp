// Chapter 11, what all kinds of training do alike.
#include "chapters/11-pretraining/model_training.hpp"

#include <fmt/format.h>

#include <cmath>

#include "chapters/01-bpe/tokenizer_files.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {

TrainedModel whole_model(const ModelConfig& config, const Trainable& trainable, const Tokenizer& tokenizer) {
  return {config.llama, trainable,
          [&](const std::filesystem::path& folder) {
            write_config(folder / "config.json", config);
            save_tokenizer(tokenizer.model(), folder);
          },
          [](const std::filesystem::path& folder, const ParameterSet& all) {
            cria::write_weights(folder / "model.safetensors", all);
          }};
}

ModelTraining::ModelTraining(TrainedModel model, const Recipe& recipe, ThreadPool& pool, RecipeKeys own_keys,
                             Peers* peers)
    : model_(std::move(model)),
      recipe_(recipe),
      own_keys_(std::move(own_keys)),
      pool_(pool),
      trainer_(model_.config, model_.trainable, recipe.training, pool, peers) {}

void ModelTraining::restore(const RunFolder& folder, const TrainingState& state) {
  if (trainer_.peers()) {
    const ParameterSet room(trainer_.whole_layout());
    read_checkpoint(folder / checkpoint_file, room, [&](Held what) { trainer_.deal(what, room, state.step); });
  } else {
    read_checkpoint(folder / checkpoint_file, learned_sets());
  }
  find_place(state);
}

void ModelTraining::require_unchanged(const TrainingState& state, std::uint64_t fingerprint, const char* what) {
  if (state.fingerprint != fingerprint)
    throw UserError(fmt::format("{} changed since this run began, expected all as it was", what));
}

std::vector<LearnedSet> ModelTraining::learned_sets() { return {{model_.trainable.parameters, trainer_.optimiser()}}; }

double ModelTraining::rate_at(double share) const {
  return learning_rate({recipe_.learning_rate, recipe_.learning_rate * recipe_.final_learning_rate, recipe_.warmup, 1},
                       share);
}

bool ModelTraining::is_finite() {
  return with_all([&](const ParameterSet& all) { return std::isfinite(global_norm(all.flat(), pool_)); });
}

// Only what is not so already.
std::string ModelTraining::remedy() const {
  constexpr double long_warmup = 0.1;
  std::string text = fmt::format("a lower optimiser.learning_rate (it is {})", recipe_.learning_rate);
  if (recipe_.warmup < long_warmup) text += fmt::format(", or a longer optimiser.warmup ({})", recipe_.warmup);
  if (recipe_.training.clip_norm == 0) text += ", or optimiser.clip_norm 1 (it is 0: gradients are never clipped)";
  return text;
}

double ModelTraining::tokens_per_step() const { return double(recipe_.training.batch * recipe_.training.positions); }

void ModelTraining::write_description(const std::filesystem::path& folder) {
  model_.write_description(folder);
  write_file_atomically(folder / "recipe.yaml", recipe_text(recipe_, own_keys_));
}

void ModelTraining::write_checkpoint(const std::filesystem::path& file, const TrainingState& state) {
  TrainingState now = state;
  keep_place(now);
  if (trainer_.peers()) {
    const ParameterSet room(trainer_.whole_layout());
    cria::write_checkpoint(file, now, room, [&](Held what) { trainer_.gather(what, room); });
  } else {
    cria::write_checkpoint(file, now, learned_sets());
  }
}

void ModelTraining::write_weights(const std::filesystem::path& folder) {
  with_all([&](const ParameterSet& all) { model_.write_weights(folder, all); });
}

}  // namespace cria
