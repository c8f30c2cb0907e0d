// Chapter 19, the run. Its objective is dpo.cpp's.
#include "chapters/19-dpo/preference_training.hpp"

#include <algorithm>

#include "lib/base/check.hpp"
#include "lib/base/fingerprint.hpp"

namespace cria {
PreferenceTraining::PreferenceTraining(TrainedModel model, PairSource pairs, const Recipe& recipe,
                                       const PreferenceOptions& options, ThreadPool& pool, RecipeKeys own_keys)
    : ModelTraining(std::move(model), recipe, pool, std::move(own_keys)), pairs_(std::move(pairs)), options_(options) {
  require_valid(options);
  reference_ = rate(pairs_.all());
  fingerprint_ = fingerprint({reinterpret_cast<const char*>(reference_.data()), reference_.size() * sizeof(double)},
                             pairs_.fingerprint());
}

std::vector<double> PreferenceTraining::rate(std::span<const PreferencePair> pairs) {
  const size_t at_once = recipe().training.batch / 2;
  std::vector<double> sums(2 * pairs.size());
  for (size_t begin = 0; begin < pairs.size(); begin += at_once) {
    const PairBatch batch(pairs.subspan(begin, std::min(at_once, pairs.size() - begin)), recipe().training.positions,
                          begin + 1);
    trainer().evaluate(batch.batch(), [&](const RatedTargets& rated) {  // each part has its own places in `sums`
      std::ranges::copy(summed_log_p(rated.log_p, rated.batch.targets),
                        sums.begin() + std::ptrdiff_t(2 * begin + rated.batch.first));
      return 0.0;
    });
  }
  return sums;
}

void PreferenceTraining::step(double share, Progress& progress) {
  progress.learning_rate = rate_at(share);
  const std::vector<size_t> indices = pairs_.next(recipe().training.batch / 2);
  const std::vector<PreferencePair> pairs = pairs_.at(indices);
  std::vector<double> reference;
  for (const size_t i : indices) reference.insert(reference.end(), {reference_[2 * i], reference_[2 * i + 1]});
  const PairBatch batch(pairs, recipe().training.positions);
  const StepResult result =
      trainer().step(batch.batch(), progress.learning_rate, preference_objective(std::move(reference), options_));
  progress.loss = result.loss;
  progress.gradient_norm = result.gradient_norm;
}

void PreferenceTraining::validate(Progress& progress) {
  if (pairs_.held_out().empty()) return;
  const PreferenceFigures figures = preference_figures(
      rate(pairs_.held_out()), std::span(reference_).subspan(2 * pairs_.trained()), pairs_.held_out(), options_);
  progress.validation_loss = figures.loss;
  progress.figures = {{"accuracy", figures.accuracy}, {"chosen", figures.chosen}, {"rejected", figures.rejected}};
}

void PreferenceTraining::keep_place(TrainingState& state) const {
  state.position = pairs_.position();
  state.fingerprint = fingerprint_;
}

void PreferenceTraining::find_place(const TrainingState& state) {
  require_unchanged(state, fingerprint_, "the pairs, or the model that this run began with,");
  pairs_.restore(state.position);
}

}  // namespace cria
