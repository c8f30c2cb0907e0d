// Chapter 11: pretraining, from a corpus to a model's folder. What a run is stands in run.hpp; here is what it trains.
#pragma once

#include "chapters/11-pretraining/checkpoint.hpp"
#include "chapters/11-pretraining/corpus.hpp"
#include "chapters/11-pretraining/model_folder.hpp"

namespace cria {

/// A model, its trainer and its batches, as a run sees them.
class Pretraining : public Trainee {
 public:
  /// `config` is the weights' own. All but the pool's threads is kept by reference and must outlive this.
  Pretraining(const ModelConfig& config, const LlamaParameters& weights, const Tokenizer& tokenizer, Corpus& corpus,
              const Recipe& recipe, ThreadPool& pool);

  /// Goes on from the folder's checkpoint, bit for bit. Throws UserError when the file is damaged, or when the data is
  /// not what that run was trained on.
  void restore(const RunFolder& folder, const TrainingState& state);

  void step(double share, Progress& progress) override;
  void validate(Progress& progress) override;
  bool is_finite() override;
  std::string remedy() const override;
  double tokens_per_step() const override;
  void write_description(const std::filesystem::path& folder) override;
  void write_checkpoint(const std::filesystem::path& file, const TrainingState& state) override;
  void write_weights(const std::filesystem::path& folder) override;

 private:
  const ModelConfig& config_;
  const LlamaParameters& weights_;
  const Tokenizer& tokenizer_;
  Corpus& corpus_;
  const Recipe& recipe_;
  ThreadPool& pool_;
  Trainer trainer_;
};

/// The tokens between which the documents stood that a model was trained on; none for a model of one long stream.
DocumentEnds model_ends(const ModelConfig& config);

/// Throws UserError when the corpus is another than that with which the run began: what was held out then might be
/// trained on now.
void require_same_data(const TrainingState& state, const Data& data, const Corpus& corpus);

}  // namespace cria
