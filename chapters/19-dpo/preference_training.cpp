// Chapter 19, the run. Its objective is dpo.cpp's.
#include "chapters/19-dpo/preference_training.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lib/base/check.hpp"
#include "lib/base/fingerprint.hpp"

namespace cria {
namespace {

std::uint64_t fingerprint_of(std::span<const PreferencePair> pairs, std::span<const double> reference) {
  std::uint64_t sum = fingerprint_start;
  for (const PreferencePair& pair : pairs)
    for (const auto* tokens : {&pair.prompt, &pair.chosen, &pair.rejected})
      sum = fingerprint({reinterpret_cast<const char*>(tokens->data()), tokens->size() * sizeof(tokens->front())}, sum);
  return fingerprint({reinterpret_cast<const char*>(reference.data()), reference.size_bytes()}, sum);
}

}  // namespace

std::vector<PreferencePair> encode_pairs(std::span<const Preference> preferences, const InstructionEncoder& encode) {
  std::vector<PreferencePair> pairs;
  for (const Preference& one : preferences)
    pairs.push_back({encode.prompt(one.prompt), encode.answer(one.chosen), encode.answer(one.rejected)});
  return pairs;
}

void keep_pairs_together(Recipe& recipe) {
  TrainerOptions& training = recipe.training;
  if (training.batch % 2 != 0)
    throw UserError(
        fmt::format("data.batch is {}, expected an even number, as a pair is two sequences", training.batch));
  training.together = 2;
  training.micro_batch += training.micro_batch % 2;
}

PreferenceTraining::PreferenceTraining(TrainedModel model, std::vector<PreferencePair> pairs, const Recipe& recipe,
                                       std::uint64_t seed, const PreferenceOptions& options, ThreadPool& pool,
                                       RecipeKeys own_keys)
    : ModelTraining(std::move(model), recipe, pool, std::move(own_keys)),
      pairs_(std::move(pairs)),
      trained_(pairs_.size() - std::min(pairs_.size(), size_t(std::ceil(double(pairs_.size()) * recipe.validation)))),
      options_(options),
      order_(seed, trained_) {
  if (trained_ == 0)
    throw UserError(fmt::format("of {} pairs none is left to train on; lower data.validation", pairs_.size()));
  require_valid(options);
  reference_ = rate(pairs_);
  fingerprint_ = fingerprint_of(pairs_, reference_);
}

std::vector<double> PreferenceTraining::rate(std::span<const PreferencePair> pairs, size_t first_number) {
  const size_t at_once = recipe().training.batch / 2;
  std::vector<double> sums(2 * pairs.size());
  for (size_t begin = 0; begin < pairs.size(); begin += at_once) {
    const PairBatch batch(pairs.subspan(begin, std::min(at_once, pairs.size() - begin)), recipe().training.positions,
                          first_number + begin);
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
  std::vector<PreferencePair> pairs;
  std::vector<double> reference;
  for (size_t i = 0; i < recipe().training.batch / 2; ++i) {
    const size_t pair = order_.at(position_++);
    pairs.push_back(pairs_[pair]);
    reference.insert(reference.end(), {reference_[2 * pair], reference_[2 * pair + 1]});
  }
  const PairBatch batch(pairs, recipe().training.positions);
  const StepResult result =
      trainer().step(batch.batch(), progress.learning_rate, preference_objective(std::move(reference), options_));
  progress.loss = result.loss;
  progress.gradient_norm = result.gradient_norm;
}

void PreferenceTraining::validate(Progress& progress) {
  if (trained_ == pairs_.size()) return;
  const std::span<const PreferencePair> held_out = std::span(pairs_).subspan(trained_);
  const PreferenceFigures figures =
      preference_figures(rate(held_out), std::span(reference_).subspan(2 * trained_), options_);
  progress.validation_loss = figures.loss;
  progress.figures = {{"accuracy", figures.accuracy}, {"chosen", figures.chosen}, {"rejected", figures.rejected}};
}

void PreferenceTraining::keep_place(TrainingState& state) const {
  state.position = position_;
  state.fingerprint = fingerprint_;
}

void PreferenceTraining::find_place(const TrainingState& state) {
  if (state.fingerprint != fingerprint_)
    throw UserError("the pairs, or the model that this run began with, have changed since; expected them as they were");
  position_ = state.position;
}

}  // namespace cria
