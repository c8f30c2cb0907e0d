// The parameters of a Llama: one flat arena, and a struct of views that gives each tensor its name in the code.
//
// for_each_parameter is the single list of them. Allocation, initialisation, AdamW's groups, checkpoints and tests all
// go through it, so there are no parallel lists to keep in step. Gradients are the same type with the same layout.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "chapters/08-llama/attention_addition.hpp"
#include "chapters/08-llama/config.hpp"
#include "chapters/08-llama/shards.hpp"
#include "lib/base/random.hpp"
#include "lib/tensor/parameter_set.hpp"
#include "lib/tensor/weight.hpp"

namespace cria {

/// One decoder layer: parameters or gradients, real that can be written; or const real and Weight, to be read.
template <class T, class Matrix = View<T, 2>>
struct LayerTensors {
  View<T, 1> attention_norm;     // (C)
  Matrix query;                  // (H*Dh, C)
  Matrix key;                    // (G*Dh, C)
  Matrix value;                  // (G*Dh, C)
  Matrix output;                 // (C, H*Dh)
  View<T, 1> feed_forward_norm;  // (C)
  Matrix gate;                   // (F, C)
  Matrix up;                     // (F, C)
  Matrix down;                   // (C, F)
  /// No parameter of the model, but what an adapter adds to what the heads attend to; none: nothing.
  const AttentionAddition* addition = nullptr;
};
using LayerWeights = LayerTensors<const real, Weight>;

template <class T, class Matrix = View<T, 2>>
struct LlamaTensors {
  Matrix embedding;  // (V, C)
  std::vector<LayerTensors<T, Matrix>> layers;
  View<T, 1> norm;  // (C)
  Matrix head;      // (V, C); the embedding when the two are tied
  /// Of gradients: backward calls it when it has left a layer, so that those of it and of all above it are formed. A
  /// tied embedding, which is also the head, is formed last. None: nobody asks.
  std::function<void(size_t layer)> layer_formed = {};
};

/// Calls visit(name, shape, view) for every tensor that is stored, in a fixed order; the names are Hugging Face's.
/// A tied head is not stored, so it is not visited.
template <class Tensors, class Visit>
void for_each_parameter(const LlamaConfig& c, Tensors& tensors, Visit&& visit) {
  const size_t queries = c.heads * c.head_dim, keys = c.kv_heads * c.head_dim;
  visit(std::string("model.embed_tokens.weight"), Shape<2>{c.vocabulary_size, c.dim}, tensors.embedding);
  for (size_t i = 0; i < c.layers; ++i) {
    auto& layer = tensors.layers[i];
    const auto name = [&](const char* part) { return fmt::format("model.layers.{}.{}.weight", i, part); };
    visit(name("input_layernorm"), Shape<1>{c.dim}, layer.attention_norm);
    visit(name("self_attn.q_proj"), Shape<2>{queries, c.dim}, layer.query);
    visit(name("self_attn.k_proj"), Shape<2>{keys, c.dim}, layer.key);
    visit(name("self_attn.v_proj"), Shape<2>{keys, c.dim}, layer.value);
    visit(name("self_attn.o_proj"), Shape<2>{c.dim, queries}, layer.output);
    visit(name("post_attention_layernorm"), Shape<1>{c.dim}, layer.feed_forward_norm);
    visit(name("mlp.gate_proj"), Shape<2>{c.hidden_dim, c.dim}, layer.gate);
    visit(name("mlp.up_proj"), Shape<2>{c.hidden_dim, c.dim}, layer.up);
    visit(name("mlp.down_proj"), Shape<2>{c.dim, c.hidden_dim}, layer.down);
  }
  visit(std::string("model.norm.weight"), Shape<1>{c.dim}, tensors.norm);
  if (!c.tied_embeddings) visit(std::string("lm_head.weight"), Shape<2>{c.vocabulary_size, c.dim}, tensors.head);
}

/// How many numbers for_each_parameter visits, by the part of the model that they belong to.
struct ParameterCounts {
  size_t embedding = 0, norms = 0, attention = 0, feed_forward = 0;
  size_t head = 0;  // 0 when it is the embedding

  size_t total() const { return embedding + norms + attention + feed_forward + head; }
  /// Those of the layers and the norms, by which Kaplan et al. (2020) count a model's size.
  size_t without_vocabulary() const { return norms + attention + feed_forward; }
};
ParameterCounts count_parameters(const LlamaConfig& config);

/// Their total.
size_t parameter_count(const LlamaConfig& config);

/// What a forward pass reads, whatever type each of its matrices has.
struct LlamaWeights {
  LlamaConfig config;
  LlamaTensors<const real, Weight> tensors;
  std::shared_ptr<const void> memory = {};  // where the numbers are, unless someone else keeps them
  Shards* shards = nullptr;                 // where these are a part of a model that several processes have together
};

/// The names and shapes of what for_each_parameter visits. Throws UserError when the configuration is not valid.
std::vector<ParameterSet::Tensor> llama_layout(const LlamaConfig& config);
/// The places of a model's tensors in a set that begins with them, as a LlamaParameters does.
LlamaTensors<real> tensors_in(const LlamaConfig& config, const ParameterSet& parameters);
/// The same tensors, to be read.
LlamaWeights read_only(const LlamaConfig& config, const LlamaTensors<real>& tensors);

/// Weights, or gradients, or any other set of numbers with one entry for each parameter. Starts as zeros.
class LlamaParameters : public ParameterSet {
 public:
  /// Throws UserError when the configuration is not valid.
  explicit LlamaParameters(const LlamaConfig& config);

  const LlamaConfig& config() const { return config_; }
  const LlamaTensors<real>& tensors() const { return tensors_; }
  /// The same numbers, to be read; they hold as long as these parameters.
  operator const LlamaWeights&() const { return read_only_; }
  operator const LlamaTensors<real>&() const { return tensors_; }

 private:
  LlamaConfig config_;
  LlamaTensors<real> tensors_;
  LlamaWeights read_only_;
};

/// Ones for the norms; normal numbers for the matrices, with deviation 1/√K for K inputs, so that a product is about as
/// large as what goes in (LeCun et al. 1998, section 4.6), divided by √(2 L) where it is added to the residual stream,
/// so that the stream does not grow with depth (Radford et al. 2019, section 2.3); and 0.05 for the embedding. The
/// constant 0.02 of large models would be far too small for narrow ones.
void initialise(const LlamaParameters& weights, Random& random);

}  // namespace cria
