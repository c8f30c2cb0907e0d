// Chapter 14, supervised fine-tuning.
#include "chapters/14-sft/finetuning.hpp"

#include "chapters/12-open-weights/model_template.hpp"

namespace cria {

Finetuning::Finetuning(const ModelConfig& config, const LlamaParameters& weights, const Tokenizer& tokenizer,
                       Corpus& corpus, const Recipe& recipe, const InstructionEncoder& encoder, ThreadPool& pool)
    : Pretraining(config, weights, tokenizer, corpus, recipe, pool), encoder_(encoder) {}

void Finetuning::write_description(const std::filesystem::path& folder) {
  Pretraining::write_description(folder);
  write_chat_template(folder, encoder_.format());
}

}  // namespace cria
