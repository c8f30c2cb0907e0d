// Chapter 16: a run that makes a reward model from a language model and pairs of answers.
#pragma once

#include "chapters/11-pretraining/model_training.hpp"
#include "chapters/16-reward-model/pair_source.hpp"
#include "chapters/16-reward-model/ranking.hpp"
#include "chapters/16-reward-model/value_model.hpp"

namespace cria {

/// A step is on `batch` sequences, so on half as many pairs.
class RewardTraining : public ModelTraining {
 public:
  /// `model` is of a ValueModel. Throws UserError for pairs that a sequence has no room for.
  RewardTraining(TrainedModel model, PairSource pairs, const Recipe& recipe, double centring, ThreadPool& pool,
                 RecipeKeys own_keys = {});

  void step(double share, Progress& progress) override;
  /// Says what share of the held-out pairs the model has the right way round.
  void validate(Progress& progress) override;

 protected:
  void keep_place(TrainingState& state) const override;
  void find_place(const TrainingState& state) override;

 private:
  PairSource pairs_;
  double centring_;
  std::uint64_t fingerprint_;
};

}  // namespace cria
