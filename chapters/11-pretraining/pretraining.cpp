// Chapter 11, pretraining.
#include "chapters/11-pretraining/pretraining.hpp"

#include <fmt/format.h>

#include <numbers>

#include "lib/base/check.hpp"

namespace cria {

void Pretraining::step(double share, Progress& progress) {
  progress.learning_rate = rate_at(share);
  const Batch batch = corpus_.training->next();
  const StepResult result = trainer().step(batch, progress.learning_rate);
  progress.loss = result.loss;
  progress.gradient_norm = result.gradient_norm;
  progress.bits_per_byte = result.loss * double(count_targets(batch)) / (std::numbers::ln2 * corpus_.training->bytes());
  progress.floor = corpus_.validation.floor;
}

void Pretraining::validate(Progress& progress) {
  if (corpus_.validation.targets == 0) return;
  progress.validation_loss =
      corpus_.validation.loss([&](const Batch& held_out) { return trainer().evaluate(held_out); });
  progress.bits_per_byte = corpus_.validation.bits_per_byte(*progress.validation_loss);
}

void Pretraining::keep_place(TrainingState& state) const {
  state.position = corpus_.training->state();
  state.fingerprint = corpus_.fingerprint;
}

void Pretraining::find_place(const TrainingState& state) { corpus_.training->restore(state.position); }

DocumentEnds model_ends(const ModelConfig& config) {
  DocumentEnds ends{config.begin_of_text, std::nullopt};
  if (!config.end_of_text.empty()) ends.end = config.end_of_text.front();
  if (!ends.begin) ends.begin = ends.end;
  return ends;
}

void require_same_data(const TrainingState& state, const std::string& name, const Corpus& corpus) {
  if (state.step == 0 || state.fingerprint.value_or(corpus.fingerprint) == corpus.fingerprint) return;
  throw UserError(fmt::format(
      "{} has changed since this run began, and with it what is learned or held out; expected it as it was", name));
}

}  // namespace cria
