// Chapter 15, LLaMA-Adapter V1 (Zhang et al. 2023, arXiv:2303.16199): a prefix of learned vectors in each of a Llama's
// last layers, behind a gate that opens while they learn; and V2 (Gao et al. 2023, arXiv:2304.15010), in which all
// norms learn too, and each linear layer of the decoder layers gets a scale and a bias. The matrices stay, whatever
// type they have. The model's wiring does not know: what is added hangs on its weights
// (chapters/08-llama/attention_addition.hpp, lib/tensor/weight.hpp).
#pragma once

#include <string>
#include <vector>

#include "chapters/10-training-step/trainable.hpp"
#include "chapters/15-adapters/prefix_addition.hpp"
#include "chapters/15-adapters/scale_and_bias.hpp"
#include "lib/base/random.hpp"

namespace cria {

struct LlamaAdapterOptions {
  size_t version = 1;  // or 2
  size_t prompt = 10;  // P, the vectors of each layer
  size_t layers = 0;   // in so many layers, the last ones; 0: in all
  GateKind gate = GateKind::head;
};

/// The learned numbers of a model by their use, or their gradients.
struct LlamaAdapterParts {
  std::vector<GatedPrefix<real>> prefixes;  // of the last layers
  std::vector<View<real, 1>> norms;         // V2: of all, as for_each_parameter visits them
  std::vector<ScaleAndBias<real>> linears;  // V2: of those of the decoder layers, in the same order
};

/// What is learned. Prompts and gates have the names that PEFT gives them. Starts as zeros.
class LlamaAdapter : public ParameterSet {
 public:
  /// Throws UserError for options that no adapter of this model has.
  LlamaAdapter(const LlamaConfig& config, const LlamaAdapterOptions& options);

  const LlamaConfig& config() const { return config_; }
  /// With `layers` as it is in this model, never 0.
  const LlamaAdapterOptions& options() const { return options_; }
  const LlamaAdapterParts& parts() const { return parts_; }

  /// A model's weights with the adapter as it is now. They hold as long as the base's do, and these parameters.
  LlamaWeights attached_to(const LlamaWeights& base) const;
  /// For a trainer: of the model with the adapter only the adapter learns. Base and this must outlive it.
  Trainable over(const LlamaWeights& base) const;

 private:
  LlamaConfig config_;
  LlamaAdapterOptions options_;
  LlamaAdapterParts parts_;
};

/// Gates and biases are zero, scales one, and norms as in the base, so the model is at first as it was. The prompts are
/// drawn from N(0, 1), which is about as large as what a layer's keys and values are else formed of, the output of a
/// norm.
void initialise(const LlamaAdapter& adapter, const LlamaWeights& base, Random& random);

}  // namespace cria
