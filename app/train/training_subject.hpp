// What cria train trains, from its options.
#pragma once

#include <memory>
#include <optional>

#include "app/train/train.hpp"
#include "chapters/11-pretraining/pretraining.hpp"

namespace cria {

/// What is trained: a model's description and its tokenizer, and where it goes on from one that is there, its weights.
struct TrainingSubject {
  ModelConfig config;
  std::unique_ptr<Tokenizer> tokenizer;
  std::optional<LlamaParameters> weights = {};
  DocumentEnds ends = {};
};

/// A model of the recipe's shape, whose weights are to be drawn, with the tokenizer that the options ask for.
TrainingSubject new_subject(const TrainOptions& options, const Data& data, const Recipe& recipe);

/// The model of --from, with the tokenizer of --tokenizer where there is one (chapter 14). The recipe's section model
/// becomes that of the model; one that asks for another is refused.
TrainingSubject subject_from_model(const TrainOptions& options, Recipe& recipe);

/// The same without weights of its own, for what only reads them: they go to `weights`, in the types of their file.
TrainingSubject packed_subject(const TrainOptions& options, Recipe& recipe, LlamaWeights& weights);

/// What an earlier run has left in its folder, but for the weights, which its checkpoint holds.
TrainingSubject resumed_subject(const RunFolder& folder);

}  // namespace cria
