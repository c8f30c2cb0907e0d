// Chapter 11: pretraining, from a corpus to a model's folder. What a run is stands in run.hpp; here is what it trains.
#pragma once

#include "chapters/11-pretraining/corpus.hpp"
#include "chapters/11-pretraining/model_training.hpp"

namespace cria {

/// A model, its trainer and its batches, as a run sees them.
class Pretraining : public ModelTraining {
 public:
  /// All but the pool's threads is kept by reference and must outlive this.
  Pretraining(TrainedModel model, Corpus& corpus, const Recipe& recipe, ThreadPool& pool, RecipeKeys own_keys = {},
              Peers* peers = nullptr)
      : ModelTraining(std::move(model), recipe, pool, std::move(own_keys), peers), corpus_(corpus) {}

  void step(double share, Progress& progress) override;
  void validate(Progress& progress) override;

 protected:
  void keep_place(TrainingState& state) const override;
  void find_place(const TrainingState& state) override;

 private:
  Corpus& corpus_;
};

/// The tokens between which the documents stood that a model was trained on; none for a model of one long stream.
DocumentEnds model_ends(const ModelConfig& config);

/// Throws UserError when the corpus is another than that with which the run began: what was held out then might be
/// trained on now. `name` is what the corpus is called.
void require_same_data(const TrainingState& state, const std::string& name, const Corpus& corpus);

}  // namespace cria
