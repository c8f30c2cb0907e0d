// Small Llamas for the tests of chapter 08, PyTorch's and random ones, and the tolerances.
#pragma once

#include "chapters/08-llama/llama.hpp"
#include "chapters/10-training-step/trainer.hpp"
#include "tests/testing.hpp"

namespace cria::testing {

// Relative to the largest entry of each tensor, in units of `real`'s rounding. Measured over the three x86 targets,
// float and double, at most: 9.4 forward and 20.4 for the gradients, both in double, where PyTorch's own rounding
// counts as well; 3.8 between two ways to compute the same logits.
inline constexpr double forward_tolerance = 25 * epsilon, gradient_tolerance = 50 * epsilon,
                        same_tolerance = 12 * epsilon;

inline LlamaConfig untied() {
  LlamaConfig c;
  c.vocabulary_size = 19, c.dim = 11, c.hidden_dim = 13, c.layers = 2, c.heads = 6, c.kv_heads = 3, c.head_dim = 4;
  c.rope_theta = 500000, c.tied_embeddings = false;
  return c;
}
inline LlamaConfig tied() {
  LlamaConfig c;
  c.vocabulary_size = 23, c.dim = 12, c.hidden_dim = 20, c.layers = 3, c.heads = 4, c.kv_heads = 1, c.head_dim = 6;
  return c;
}

/// A golden model with its tokens.
struct GoldenModel {
  std::string prefix;
  LlamaParameters weights;
  Array<std::int32_t, 2> tokens;

  explicit GoldenModel(const std::string& name)
      : prefix("08-llama/" + name + "_"),
        weights(name == "tied" ? tied() : untied()),
        tokens(xt::cast<std::int32_t>(golden<2>(prefix + "tokens.npy"))) {
    const Array<real, 1> flat = golden_real<1>(prefix + "parameters.npy");
    REQUIRE(flat.size() == weights.flat().size());
    std::ranges::copy(flat, weights.flat().begin());
  }

  /// Row n of (B*T) with its successor as target; the last token of a sequence has none.
  Batch batch(std::vector<std::int32_t>& targets) const {
    const size_t T = tokens.shape(1);
    targets.assign(tokens.size(), -1);
    for (size_t n = 0; n < tokens.size(); ++n)
      if (n % T + 1 < T) targets[n] = tokens.data()[n + 1];
    return {view(tokens), {targets.data(), {tokens.shape(0), T}}};
  }
};

inline LlamaParameters random_model(const LlamaConfig& config, std::uint64_t seed) {
  LlamaParameters weights(config);
  Random random(seed);
  for (real& value : weights.flat()) value = real(0.3 * random.normal());
  return weights;
}

/// Logits (T, V) of one sequence.
inline Array<real, 2> logits_of(const LlamaParameters& weights, const std::vector<std::int32_t>& tokens,
                                std::vector<std::int32_t> first_key = {}) {
  LlamaActivations activations(weights.config(), 1, tokens.size(), tokens.size(), Keep::one_layer);
  llama_forward(weights, {View<const std::int32_t, 2>(tokens.data(), {1, tokens.size()}), first_key}, activations);
  Array<real, 2> logits = zeros<real, 2>({tokens.size(), weights.config().vocabulary_size});
  llama_logits(weights, activations.normed, view(logits));
  return logits;
}

}  // namespace cria::testing
