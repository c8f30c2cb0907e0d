// An adapter that learns in place of a model's weights: of which kind, from which keys of a recipe.
#pragma once

#include <memory>
#include <string>

#include "chapters/10-training-step/trainable.hpp"
#include "chapters/11-pretraining/model_training.hpp"
#include "chapters/11-pretraining/recipe_keys.hpp"

namespace cria {

class LearnedAdapter {
 public:
  virtual ~LearnedAdapter() = default;

  /// The keys that a recipe has for this kind, and their places here.
  virtual RecipeKeys keys() = 0;
  /// Begins with an adapter that changes nothing yet. Throws UserError for keys that no adapter has. Before anything
  /// below.
  virtual void begin(const LlamaConfig& config, const LlamaWeights& base, std::uint64_t seed) = 0;

  /// The base with the adapter, LoRA's as it is at any time, LLaMA-Adapter's as it is now. Base and this must outlive
  /// it.
  virtual LlamaWeights attached_to(const LlamaWeights& base) const = 0;
  /// The same, of which the adapter learns.
  virtual Trainable over(const LlamaWeights& base) const = 0;
  /// Into its folder; `base` is where the model is that it belongs to.
  virtual void save(const std::filesystem::path& folder, const std::string& base) const = 0;
};

std::unique_ptr<LearnedAdapter> learned_lora();
std::unique_ptr<LearnedAdapter> learned_llama_adapter();

/// In training: the folder becomes the adapter's, with the tokenizer. All of it must outlive what is made of it.
TrainedModel adapter_in_training(const LearnedAdapter& adapter, const LlamaWeights& base, const LlamaConfig& config,
                                 const Tokenizer& tokenizer, std::string base_folder);

/// What to try with the result, behind the program's name.
std::string adapter_hint(const std::string& base, const std::string& folder);

}  // namespace cria
