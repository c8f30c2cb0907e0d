// Chapter 16: runs a value model over batches: the value of every position, and from any objective over them the
// gradients.
#pragma once

#include <memory>

#include "chapters/08-llama/llama.hpp"
#include "chapters/10-training-step/evaluator.hpp"

namespace cria {

/// For batches of up to (sequences, positions).
class ValueEvaluator : public Evaluator {
 public:
  /// `for_gradients` also makes room for a backward pass.
  ValueEvaluator(const LlamaConfig& config, size_t sequences, size_t positions, bool for_gradients);
  /// What it would allocate.
  static size_t bytes(const LlamaConfig& config, size_t sequences, size_t positions, bool for_gradients);

  /// (B, T): a value depends on the token at its position and those before it. They hold until the next pass.
  View<const real, 2> forward(const LlamaWeights& weights, const Batch& batch);

  /// The loss of any objective over values.
  double forward(const LlamaWeights& weights, const Batch& batch, const Objective& objective) override;
  double forward_backward(const LlamaWeights& weights, const Batch& batch, const Objective& objective,
                          const LlamaTensors<real>& gradients) override;

 private:
  LlamaActivations activations_;
  Arena<real> memory_;
  View<real, 2> values_, d_values_;  // (N, 1), as the head writes them
  std::unique_ptr<LlamaBackwardBuffers> buffers_;
};

/// Learns nothing and has no loss: writes the values of a whole batch down, for a trainer's evaluate. `values` (B, T)
/// must outlive it.
Objective keep_values(View<real, 2> values);

}  // namespace cria
