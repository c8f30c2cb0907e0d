// Chapter 19: a run of direct preference optimisation, from pairs of answers to a model that prefers the better ones.
#pragma once

#include <vector>

#include "chapters/11-pretraining/model_training.hpp"
#include "chapters/11-pretraining/shuffled_order.hpp"
#include "chapters/14-sft/instruction_encoder.hpp"
#include "chapters/14-sft/preference_data.hpp"
#include "chapters/19-dpo/dpo.hpp"

namespace cria {

/// Pairs as tokens. Each answer has its end, as it is to be preferred as a whole.
std::vector<PreferencePair> encode_pairs(std::span<const Preference> preferences, const InstructionEncoder& encode);

/// A step is on `batch` sequences, so on half as many pairs, in an order that changes with each pass. The last share of
/// them (recipe.validation) is held out. The reference is the model as it is now: what it says of all pairs is computed
/// here, and no second model is kept.
class PreferenceTraining : public ModelTraining {
 public:
  /// Throws UserError for pairs that a sequence has no room for, and for fewer than one to train on and one to hold
  /// out.
  PreferenceTraining(TrainedModel model, std::vector<PreferencePair> pairs, const Recipe& recipe, std::uint64_t seed,
                     const PreferenceOptions& options, ThreadPool& pool, RecipeKeys own_keys = {});

  void step(double share, Progress& progress) override;
  void validate(Progress& progress) override;

 protected:
  void keep_place(TrainingState& state) const override;
  void find_place(const TrainingState& state) override;

 private:
  /// What the model says of pairs: Σ log p of both answers of each.
  std::vector<double> rate(std::span<const PreferencePair> pairs, size_t first_number = 1);

  std::vector<PreferencePair> pairs_;  // the last ones are held out
  size_t trained_;                     // so many are not
  std::vector<double> reference_;      // of each pair, two sums
  PreferenceOptions options_;
  ShuffledOrder order_;
  std::uint64_t position_ = 0, fingerprint_;
};

/// For this training: pairs stay together in a micro-batch. Throws UserError for a batch of an odd number of sequences.
void keep_pairs_together(Recipe& recipe);

}  // namespace cria
