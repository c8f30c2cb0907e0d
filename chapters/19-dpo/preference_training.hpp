// Chapter 19: a run of direct preference optimisation, from pairs of answers to a model that prefers the better ones.
#pragma once

#include <vector>

#include "chapters/11-pretraining/model_training.hpp"
#include "chapters/16-reward-model/pair_source.hpp"
#include "chapters/19-dpo/dpo.hpp"

namespace cria {

/// A step is on `batch` sequences, so on half as many pairs. The reference is the model as it is when this is made:
/// what it says of all pairs is computed then, and no second model is kept.
class PreferenceTraining : public ModelTraining {
 public:
  /// Throws UserError for pairs that a sequence has no room for, and options out of their range.
  PreferenceTraining(TrainedModel model, PairSource pairs, const Recipe& recipe, const PreferenceOptions& options,
                     ThreadPool& pool, RecipeKeys own_keys = {});

  void step(double share, Progress& progress) override;
  void validate(Progress& progress) override;

 protected:
  void keep_place(TrainingState& state) const override;
  void find_place(const TrainingState& state) override;

 private:
  /// What the model says of pairs: Σ log p of both answers of each.
  std::vector<double> rate(std::span<const PreferencePair> pairs);

  PairSource pairs_;
  PreferenceOptions options_;
  std::vector<double> reference_;  // of each pair, two sums
  std::uint64_t fingerprint_ = 0;
};

}  // namespace cria
