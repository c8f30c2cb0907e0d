// Chapter 16, the run.
#include "chapters/16-reward-model/reward_training.hpp"

#include "lib/base/check.hpp"

namespace cria {

RewardTraining::RewardTraining(TrainedModel model, PairSource pairs, const Recipe& recipe, double centring,
                               ThreadPool& pool, RecipeKeys own_keys)
    : ModelTraining(std::move(model), recipe, pool, std::move(own_keys)),
      pairs_(std::move(pairs)),
      centring_(centring),
      fingerprint_(pairs_.fingerprint()) {
  for (size_t i = 0; i < pairs_.all().size(); ++i) require_valid(pairs_.all()[i], i + 1, recipe.training.positions);
}

void RewardTraining::step(double share, Progress& progress) {
  progress.learning_rate = rate_at(share);
  const std::vector<PreferencePair> pairs = pairs_.at(pairs_.next(recipe().training.batch / 2));
  const RewardBatch batch(pairs, recipe().training.positions);
  const StepResult result = trainer().step(batch.batch(), progress.learning_rate, ranking_objective(batch, centring_));
  progress.loss = result.loss;
  progress.gradient_norm = result.gradient_norm;
}

void RewardTraining::validate(Progress& progress) {
  const std::span<const PreferencePair> held_out = pairs_.held_out();
  if (held_out.empty()) return;
  const size_t at_once = recipe().training.batch / 2;
  std::vector<double> rewards, margins;
  for (size_t begin = 0; begin < held_out.size(); begin += at_once) {
    const RewardBatch batch(held_out.subspan(begin, std::min(at_once, held_out.size() - begin)),
                            recipe().training.positions);
    const std::vector<double> some = rewards_of(trainer(), batch);
    rewards.insert(rewards.end(), some.begin(), some.end());
    margins.insert(margins.end(), batch.margins().begin(), batch.margins().end());
  }
  const RankingFigures figures = ranking_figures(rewards, margins, centring_);
  progress.validation_loss = figures.loss;
  progress.figures = {{"accuracy", figures.accuracy}, {"chosen", figures.chosen}, {"rejected", figures.rejected}};
}

void RewardTraining::keep_place(TrainingState& state) const {
  state.position = pairs_.position();
  state.fingerprint = fingerprint_;
}

void RewardTraining::find_place(const TrainingState& state) {
  require_unchanged(state, fingerprint_, "the pairs");
  pairs_.restore(state.position);
}

}  // namespace cria
