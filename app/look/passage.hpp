// Passage: a text in a model, with every tensor of the forward pass over it.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "chapters/01-bpe/bpe_model.hpp"
#include "chapters/08-llama/llama.hpp"

namespace cria::look {

/// Called in each layer of a pass, and before whatever else takes a while: ends all of it by throwing.
using Ask = std::function<void()>;

class Passage {
 public:
  /// The weights must outlive it. Throws ContractError for no tokens, or one that the vocabulary does not have; and
  /// what `ask` throws, as do all that compute.
  Passage(const LlamaWeights& weights, std::vector<TokenId> tokens, Ask ask = {});
  Passage(const Passage&) = delete;  // its layers ask what is stored in it
  Passage& operator=(const Passage&) = delete;

  const LlamaConfig& config() const { return weights_.config; }
  const LlamaWeights& weights() const { return weights_; }
  size_t size() const { return tokens_.size(); }  // T
  const std::vector<TokenId>& tokens() const { return tokens_; }
  const LlamaActivations& activations() const { return activations_; }
  View<const real, 2> logits() const { return {logits_.data(), {size(), config().vocabulary_size}}; }  // (T, V)

  /// The logits (T, V) that the residual stream before layer `layer` would give, were it the last: the last norm and
  /// the head on it (nostalgebraist 2020, "the logit lens").
  std::vector<real> lens(size_t layer) const;

  /// The logits (V) behind the last token where one head gives zeros, at every position.
  std::vector<real> without_head(size_t layer, size_t head) const;
  /// Floating-point operations of without_head.
  double operations() const;

  void ask() const {
    if (ask_) ask_();
  }

 private:
  View<const std::int32_t, 2> input() const { return {tokens_.data(), {1, size()}}; }

  Ask ask_;
  std::vector<std::unique_ptr<const AttentionAddition>> asking_;  // one for each layer, where there is whom to ask
  LlamaWeights weights_;
  std::vector<TokenId> tokens_;
  LlamaActivations activations_;
  std::vector<real> logits_;
};

}  // namespace cria::look
