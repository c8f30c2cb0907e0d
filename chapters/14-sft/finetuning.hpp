// Chapter 14: supervised fine-tuning, from a model and conversations to a model that answers.
#pragma once

#include "chapters/11-pretraining/pretraining.hpp"
#include "chapters/14-sft/instruction_corpus.hpp"

namespace cria {

/// A step is pretraining's, on documents whose prompts have no targets; the loss is the mean over all targets of the
/// step, however its answers are spread over micro-batches. The folder gets the chat format too, so that `chat` speaks
/// to the model as it was trained.
class Finetuning : public Pretraining {
 public:
  /// As for Pretraining; the encoder must outlive this.
  Finetuning(const ModelConfig& config, const LlamaParameters& weights, const Tokenizer& tokenizer, Corpus& corpus,
             const Recipe& recipe, const InstructionEncoder& encoder, ThreadPool& pool);

  void write_description(const std::filesystem::path& folder) override;

 private:
  const InstructionEncoder& encoder_;
};

}  // namespace cria
