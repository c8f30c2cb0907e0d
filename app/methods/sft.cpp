// cria finetune --method sft and lora: chapters 14 and 15.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>
#include <sstream>

#include "app/command_name.hpp"
#include "app/methods/method.hpp"
#include "chapters/01-bpe/tokenizer_files.hpp"
#include "chapters/12-open-weights/packed_model.hpp"
#include "chapters/14-sft/instruction_corpus.hpp"
#include "chapters/14-sft/tuned_model.hpp"
#include "chapters/15-adapters/peft_files.hpp"
#include "lib/base/file.hpp"

namespace cria {
namespace {

// "q_proj, v_proj" as a list.
std::vector<std::string> listed(const std::string& names) {
  std::vector<std::string> parts;
  std::istringstream rest(names);
  for (std::string part; std::getline(rest >> std::ws, part, ',');) {
    part.erase(part.find_last_not_of(' ') + 1);
    parts.push_back(part);
  }
  return parts;
}

class Sft : public TuningMethod {
 public:
  bool needs_base() const override { return false; }

  std::unique_ptr<ModelTraining> begin(const TuningSetup& setup) override {
    const TrainingSubject& subject = setup.subject;
    return train_on_answers(whole_model(subject.config, *subject.weights, *subject.tokenizer), setup);
  }

 protected:
  std::unique_ptr<ModelTraining> train_on_answers(TrainedModel model, const TuningSetup& setup) {
    corpus_ = open_instruction_corpus(setup.data, setup.encoder, setup.recipe);
    require_same_data(setup.state, setup.data, corpus_);
    return std::make_unique<Pretraining>(with_format(std::move(model), setup.encoder), corpus_, setup.recipe,
                                         setup.pool, keys());
  }

 private:
  Corpus corpus_;
};

// The base's weights stay as they are, in the types of their file.
class LoraTuning : public Sft {
 public:
  LoraTuning() : targets_(fmt::format("{}", fmt::join(options_.targets, ","))) {}

  RecipeKeys keys() override {
    return {{"lora", "rank", &options_.rank, "of the change of each matrix"},
            {"lora", "alpha", &options_.alpha, "the change is multiplied with alpha / rank"},
            {"lora", "rank_stabilised", &options_.rank_stabilised, "with alpha / the root of rank instead (rsLoRA)"},
            {"lora", "dropout", &options_.dropout, "share of what the change reads that is left out in training"},
            {"lora", "targets", &targets_, "the linear layers that are changed, with commas between them"}};
  }
  bool needs_base() const override { return true; }

  TrainingSubject open(const TrainOptions& options, Recipe& recipe) override {
    base_ = options.from;
    TrainingSubject subject = packed_subject(options, recipe, weights_.emplace());
    return subject;
  }

  std::unique_ptr<ModelTraining> begin(const TuningSetup& setup) override {
    options_.targets = listed(targets_);
    options_.seed = setup.state.seed;
    Lora& lora = lora_.emplace(setup.subject.config.llama, options_);
    Random random(setup.state.seed);
    initialise(lora, random);
    const auto describe = [&tokenizer = *setup.subject.tokenizer](const std::filesystem::path& folder) {
      save_tokenizer(tokenizer.model(), folder);
    };
    const auto write = [this](const std::filesystem::path& folder) { save_adapter(folder, *lora_, base_); };
    return train_on_answers({setup.subject.config.llama, lora.over(*weights_), describe, write}, setup);
  }

  std::string hint(const std::string& base, const std::string& folder) const override {
    return fmt::format("chat {} --adapter {}", quoted_for_shell(base), quoted_for_shell(folder));
  }

 private:
  LoraOptions options_;
  std::string targets_, base_;
  std::optional<LlamaWeights> weights_;
  std::optional<Lora> lora_;
};

}  // namespace

std::unique_ptr<TuningMethod> sft_method() { return std::make_unique<Sft>(); }
std::unique_ptr<TuningMethod> lora_method() { return std::make_unique<LoraTuning>(); }

}  // namespace cria
