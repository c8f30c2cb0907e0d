#include "app/finetune/learned_adapter.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>
#include <sstream>

#include "app/command_name.hpp"
#include "chapters/01-bpe/tokenizer_files.hpp"
#include "chapters/15-adapters/llama_adapter_files.hpp"
#include "chapters/15-adapters/peft_files.hpp"
#include "lib/base/check.hpp"

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

template <class Adapter>
class Learned : public LearnedAdapter {
 public:
  LlamaWeights attached_to(const LlamaWeights& base) const override { return adapter_->attached_to(base); }
  Trainable over(const LlamaWeights& base) const override { return adapter_->over(base); }
  void save(const std::filesystem::path& folder, const std::string& base) const override {
    save_adapter(folder, *adapter_, base);
  }

 protected:
  std::optional<Adapter> adapter_;
};

class LearnedLora : public Learned<Lora> {
 public:
  LearnedLora() : targets_(fmt::format("{}", fmt::join(options_.targets, ","))) {}

  RecipeKeys keys() override {
    return {{"lora", "rank", &options_.rank, "of the change of each matrix"},
            {"lora", "alpha", &options_.alpha, "the change is multiplied with alpha / rank"},
            {"lora", "rank_stabilised", &options_.rank_stabilised, "with alpha / the root of rank instead (rsLoRA)"},
            {"lora", "dropout", &options_.dropout, "share of what the change reads that is left out in training"},
            {"lora", "targets", &targets_, "the linear layers that are changed, with commas between them"}};
  }

  void begin(const LlamaConfig& config, const LlamaWeights&, std::uint64_t seed) override {
    options_.targets = listed(targets_);
    options_.seed = seed;
    Random random(seed);
    initialise(adapter_.emplace(config, options_), random);
  }

 private:
  LoraOptions options_;
  std::string targets_;
};

class LearnedLlamaAdapter : public Learned<LlamaAdapter> {
 public:
  RecipeKeys keys() override {
    return {
        {"adapter", "version", &options_.version, "of LLaMA-Adapter: 1, or 2: norms learn too, and scales and biases"},
        {"adapter", "prompt", &options_.prompt, "learned vectors that attention sees beside the text"},
        {"adapter", "layers", &options_.layers, "in so many layers, the last ones; 0: in all"},
        {"adapter", "gate", &gate_, "a gate for each head, or one for each layer, as PEFT has it: head or layer"}};
  }

  void begin(const LlamaConfig& config, const LlamaWeights& base, std::uint64_t seed) override {
    if (gate_ != "head" && gate_ != "layer")
      throw UserError(fmt::format("adapter.gate is {}, expected head or layer", gate_));
    options_.gate = gate_ == "head" ? GateKind::head : GateKind::layer;
    Random random(seed);
    initialise(adapter_.emplace(config, options_), base, random);
  }

 private:
  LlamaAdapterOptions options_;
  std::string gate_ = "head";
};

}  // namespace

std::unique_ptr<LearnedAdapter> learned_lora() { return std::make_unique<LearnedLora>(); }
std::unique_ptr<LearnedAdapter> learned_llama_adapter() { return std::make_unique<LearnedLlamaAdapter>(); }

TrainedModel adapter_in_training(const LearnedAdapter& adapter, const LlamaWeights& base, const LlamaConfig& config,
                                 const Tokenizer& tokenizer, std::string base_folder) {
  const auto describe = [&tokenizer](const std::filesystem::path& folder) {
    save_tokenizer(tokenizer.model(), folder);
  };
  const auto write = [&adapter, base_folder = std::move(base_folder)](const std::filesystem::path& folder,
                                                                      const ParameterSet&) {
    adapter.save(folder, base_folder);
  };
  return {config, adapter.over(base), describe, write};
}

std::string adapter_hint(const std::string& base, const std::string& folder) {
  return fmt::format("chat {} --adapter {}", quoted_for_shell(base), quoted_for_shell(folder));
}

}  // namespace cria
