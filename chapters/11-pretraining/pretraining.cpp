// Chapter 11, pretraining.
#include "chapters/11-pretraining/pretraining.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "chapters/01-bpe/tokenizer_files.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {

Pretraining::Pretraining(const ModelConfig& config, const LlamaParameters& weights, const Tokenizer& tokenizer,
                         Corpus& corpus, const Recipe& recipe, ThreadPool& pool)
    : config_(config),
      weights_(weights),
      tokenizer_(tokenizer),
      corpus_(corpus),
      recipe_(recipe),
      pool_(pool),
      trainer_(weights, recipe.training, pool) {}

void Pretraining::restore(const RunFolder& folder, const TrainingState& state) {
  read_checkpoint(folder / checkpoint_file, weights_, trainer_.optimiser());
  corpus_.training->restore(state.position);
}

void Pretraining::step(double share, Progress& progress) {
  const Schedule schedule{recipe_.learning_rate, recipe_.learning_rate * recipe_.final_learning_rate, recipe_.warmup,
                          1};
  progress.learning_rate = learning_rate(schedule, share);
  const Batch batch = corpus_.training->next();
  const StepResult result = trainer_.step(batch, progress.learning_rate);
  progress.loss = result.loss;
  progress.gradient_norm = result.gradient_norm;
  progress.bits_per_byte = result.loss * double(count_targets(batch)) / (std::numbers::ln2 * corpus_.training->bytes());
  progress.floor = corpus_.validation.floor;
}

void Pretraining::validate(Progress& progress) {
  if (corpus_.validation.targets == 0) return;
  progress.validation_loss =
      corpus_.validation.loss([&](const Batch& held_out) { return trainer_.evaluate(held_out); });
  progress.bits_per_byte = corpus_.validation.bits_per_byte(*progress.validation_loss);
}

bool Pretraining::is_finite() { return std::isfinite(global_norm(weights_.flat(), pool_)); }

// Only what is not so already.
std::string Pretraining::remedy() const {
  constexpr double long_warmup = 0.1;
  std::string text = fmt::format("a lower optimiser.learning_rate (it is {})", recipe_.learning_rate);
  if (recipe_.warmup < long_warmup) text += fmt::format(", or a longer optimiser.warmup ({})", recipe_.warmup);
  if (recipe_.training.clip_norm == 0) text += ", or optimiser.clip_norm 1 (it is 0: gradients are never clipped)";
  return text;
}

double Pretraining::tokens_per_step() const { return double(recipe_.training.batch * recipe_.training.positions); }

void Pretraining::write_description(const std::filesystem::path& folder) {
  write_config(folder / "config.json", config_);
  save_tokenizer(tokenizer_.model(), folder);
  write_file_atomically(folder / "recipe.yaml", recipe_text(recipe_));
}

void Pretraining::write_checkpoint(const std::filesystem::path& file, const TrainingState& state) {
  TrainingState now = state;
  now.position = corpus_.training->state();
  now.fingerprint = corpus_.fingerprint;
  cria::write_checkpoint(file, now, weights_, trainer_.optimiser());
}

void Pretraining::write_weights(const std::filesystem::path& folder) {
  cria::write_weights(folder / "model.safetensors", weights_);
}

DocumentEnds model_ends(const ModelConfig& config) {
  DocumentEnds ends{config.begin_of_text, std::nullopt};
  if (!config.end_of_text.empty()) ends.end = config.end_of_text.front();
  if (!ends.begin) ends.begin = ends.end;
  return ends;
}

void require_same_data(const TrainingState& state, const Data& data, const Corpus& corpus) {
  if (state.step == 0 || state.fingerprint.value_or(corpus.fingerprint) == corpus.fingerprint) return;
  throw UserError(fmt::format(
      "{} has changed since this run began, so what was held out might be trained on; expected it as it was",
      data.name));
}

}  // namespace cria
