// cria finetune --method sft, lora and adapter: chapters 14 and 15.
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
#include "chapters/15-adapters/llama_adapter_files.hpp"
#include "chapters/15-adapters/peft_files.hpp"
#include "lib/base/check.hpp"
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

// The base's weights stay as they are, in the types of their file; beside them an adapter learns.
template <class Adapter>
class AdapterTuning : public Sft {
 public:
  bool needs_base() const override { return true; }

  TrainingSubject open(const TrainOptions& options, Recipe& recipe) override {
    base_ = options.from;
    return packed_subject(options, recipe, weights_.emplace());
  }

  std::unique_ptr<ModelTraining> begin(const TuningSetup& setup) override {
    Adapter& adapter = adapter_.emplace(new_adapter(*weights_, setup.state.seed));
    const auto describe = [&tokenizer = *setup.subject.tokenizer](const std::filesystem::path& folder) {
      save_tokenizer(tokenizer.model(), folder);
    };
    const auto write = [this](const std::filesystem::path& folder) { save_adapter(folder, *adapter_, base_); };
    return train_on_answers({setup.subject.config.llama, adapter.over(*weights_), describe, write}, setup);
  }

  std::string hint(const std::string& base, const std::string& folder) const override {
    return fmt::format("chat {} --adapter {}", quoted_for_shell(base), quoted_for_shell(folder));
  }

 private:
  /// One that changes nothing yet.
  virtual Adapter new_adapter(const LlamaWeights& base, std::uint64_t seed) = 0;

  std::string base_;
  std::optional<LlamaWeights> weights_;
  std::optional<Adapter> adapter_;
};

class LoraTuning : public AdapterTuning<Lora> {
 public:
  LoraTuning() : targets_(fmt::format("{}", fmt::join(options_.targets, ","))) {}

  RecipeKeys keys() override {
    return {{"lora", "rank", &options_.rank, "of the change of each matrix"},
            {"lora", "alpha", &options_.alpha, "the change is multiplied with alpha / rank"},
            {"lora", "rank_stabilised", &options_.rank_stabilised, "with alpha / the root of rank instead (rsLoRA)"},
            {"lora", "dropout", &options_.dropout, "share of what the change reads that is left out in training"},
            {"lora", "targets", &targets_, "the linear layers that are changed, with commas between them"}};
  }

 private:
  Lora new_adapter(const LlamaWeights& base, std::uint64_t seed) override {
    options_.targets = listed(targets_);
    options_.seed = seed;
    Lora lora(base.config, options_);
    Random random(seed);
    initialise(lora, random);
    return lora;
  }

  LoraOptions options_;
  std::string targets_;
};

class LlamaAdapterTuning : public AdapterTuning<LlamaAdapter> {
 public:
  RecipeKeys keys() override {
    return {
        {"adapter", "version", &options_.version, "of LLaMA-Adapter: 1, or 2: norms learn too, and scales and biases"},
        {"adapter", "prompt", &options_.prompt, "learned vectors that attention sees beside the text"},
        {"adapter", "layers", &options_.layers, "in so many layers, the last ones; 0: in all"},
        {"adapter", "gate", &gate_, "a gate for each head, or one for each layer, as PEFT has it: head or layer"}};
  }

 private:
  LlamaAdapter new_adapter(const LlamaWeights& base, std::uint64_t seed) override {
    if (gate_ != "head" && gate_ != "layer")
      throw UserError(fmt::format("adapter.gate is {}, expected head or layer", gate_));
    options_.gate = gate_ == "head" ? GateKind::head : GateKind::layer;
    LlamaAdapter adapter(base.config, options_);
    Random random(seed);
    initialise(adapter, base, random);
    return adapter;
  }

  LlamaAdapterOptions options_;
  std::string gate_ = "head";
};

}  // namespace

std::unique_ptr<TuningMethod> sft_method() { return std::make_unique<Sft>(); }
std::unique_ptr<TuningMethod> lora_method() { return std::make_unique<LoraTuning>(); }
std::unique_ptr<TuningMethod> adapter_method() { return std::make_unique<LlamaAdapterTuning>(); }

}  // namespace cria
