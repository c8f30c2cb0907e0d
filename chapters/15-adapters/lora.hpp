// Chapter 15, LoRA: which linear layers of a Llama have a change of low rank, and the model with it. The model's wiring
// does not know: the changes are additions to its weights (lib/tensor/weight.hpp), whatever type these have. Over
// packed weights that is QLoRA (Dettmers et al. 2023, arXiv:2305.14314).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "chapters/10-training-step/trainable.hpp"
#include "lib/base/random.hpp"

namespace cria {

struct LoraOptions {
  size_t rank = 8;  // R
  double alpha = 16;
  bool rank_stabilised = false;  // rsLoRA (Kalajdzievski 2023, arXiv:2312.03732)
  double dropout = 0;            // of what A reads, while it learns
  std::uint64_t seed = 1;        // of dropout
  // Which linear layers, of every decoder layer, by the last part of Hugging Face's names; lm_head is the head.
  std::vector<std::string> targets = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"};
};

/// alpha / R, or alpha / √R for rsLoRA: what the change is multiplied with, so that a learning rate goes for any rank.
double lora_scale(const LoraOptions& options);

/// A linear layer that has a change of low rank.
struct AdaptedLinear {
  std::string module;  // Hugging Face's name: model.layers.0.self_attn.q_proj, or lm_head
  Shape<2> shape;      // (M, K)
  View<real, 2> a, b;  // (R, K), (M, R)
};

/// A and B of every adapted layer, under the names that PEFT gives them. Starts as zeros.
class Lora : public ParameterSet {
 public:
  /// Throws UserError for options that no adapter has, or a target that is no linear layer.
  Lora(const LlamaConfig& config, const LoraOptions& options);
  /// Of the layers that `adapts` chooses by their module's name.
  Lora(const LlamaConfig& config, const LoraOptions& options,
       const std::function<bool(const std::string& module)>& adapts);

  const LlamaConfig& config() const { return config_; }
  const LoraOptions& options() const { return options_; }
  const std::vector<AdaptedLinear>& linears() const { return linears_; }

  /// A model's weights with the change. They hold as long as the base's do, and these parameters.
  LlamaWeights attached_to(const LlamaWeights& base) const;
  /// For a trainer: of the model with the change only A and B learn. Base and this must outlive it.
  Trainable over(const LlamaWeights& base) const;

 private:
  LlamaConfig config_;
  LoraOptions options_;
  std::vector<AdaptedLinear> linears_;
};

/// The names of the linear layers of a Llama, as modules, in the order of for_each_parameter.
std::vector<std::string> linear_modules(const LlamaConfig& config);

/// B is zero, so the model is at first as it was. A is drawn uniformly from ±1/√K, as PEFT does (Kaiming's uniform
/// initialisation with a = √5).
void initialise(const Lora& lora, Random& random);

}  // namespace cria
