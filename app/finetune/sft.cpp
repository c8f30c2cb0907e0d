// cria finetune --method sft, lora and adapter: chapters 14 and 15.
#include <fmt/format.h>

#include <optional>

#include "app/finetune/learned_adapter.hpp"
#include "app/finetune/method.hpp"
#include "chapters/12-open-weights/packed_model.hpp"
#include "chapters/14-sft/instruction_corpus.hpp"
#include "chapters/14-sft/tuned_model.hpp"
#include "chapters/15-adapters/base_fingerprint.hpp"

namespace cria {
namespace {

class Sft : public TuningMethod {
 public:
  bool needs_base() const override { return false; }

  std::unique_ptr<ModelTraining> begin(const TuningSetup& setup) override {
    const TrainingSubject& subject = setup.subject;
    return train_on_answers(whole_model(subject.config, *subject.weights, *subject.tokenizer), setup);
  }

 protected:
  /// A run that goes on must find its data as they were, and `frozen` weights beside which the model learns.
  std::unique_ptr<ModelTraining> train_on_answers(TrainedModel model, const TuningSetup& setup,
                                                  const LlamaWeights* frozen = nullptr) {
    corpus_ = open_instruction_corpus(setup.data, setup.encoder, setup.recipe);
    std::string begun_with = setup.data.name;
    if (frozen) {
      corpus_.fingerprint = base_fingerprint(*frozen, corpus_.fingerprint);
      begun_with += fmt::format(", or the model in {},", setup.state.base);
    }
    require_same_data(setup.state, begun_with, corpus_);
    return std::make_unique<Pretraining>(with_format(std::move(model), setup.encoder), corpus_, setup.recipe,
                                         setup.pool, keys());
  }

 private:
  Corpus corpus_;
};

// The base's weights stay as they are, in the types of their file; beside them an adapter learns.
class AdapterTuning : public Sft {
 public:
  explicit AdapterTuning(std::unique_ptr<LearnedAdapter> adapter) : adapter_(std::move(adapter)) {}

  RecipeKeys keys() override { return adapter_->keys(); }
  bool needs_base() const override { return true; }

  TrainingSubject open(const TrainOptions& options, Recipe& recipe) override {
    base_ = options.from;
    return packed_subject(options, recipe, weights_.emplace());
  }

  std::unique_ptr<ModelTraining> begin(const TuningSetup& setup) override {
    const TrainingSubject& subject = setup.subject;
    adapter_->begin(subject.config.llama, *weights_, setup.state.seed);
    return train_on_answers(adapter_in_training(*adapter_, *weights_, subject.config.llama, *subject.tokenizer, base_),
                            setup, &*weights_);
  }

  std::string hint(const std::string& base, const std::string& folder) const override {
    return adapter_hint(base, folder);
  }

 private:
  std::unique_ptr<LearnedAdapter> adapter_;
  std::string base_;
  std::optional<LlamaWeights> weights_;
};

}  // namespace

std::unique_ptr<TuningMethod> sft_method() { return std::make_unique<Sft>(); }
std::unique_ptr<TuningMethod> lora_method() { return std::make_unique<AdapterTuning>(learned_lora()); }
std::unique_ptr<TuningMethod> adapter_method() { return std::make_unique<AdapterTuning>(learned_llama_adapter()); }

}  // namespace cria
