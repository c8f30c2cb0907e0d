// Chapter 10: runs a model over batches and gives the loss, and on request the gradients.
#pragma once

#include <memory>

#include "chapters/08-llama/llama.hpp"
#include "chapters/10-training-step/evaluator.hpp"

namespace cria {

/// For batches of up to (sequences, positions).
class LossEvaluator : public Evaluator {
 public:
  /// `for_gradients` also makes room for a backward pass. Attention sees keys and values as a cache of that type gives
  /// them back, which is how a smaller cache is judged; not with gradients.
  LossEvaluator(const LlamaConfig& config, size_t sequences, size_t positions, bool for_gradients,
                CacheType cache_type = CacheType::f32);
  /// What it would allocate.
  static size_t bytes(const LlamaConfig& config, size_t sequences, size_t positions, bool for_gradients);

  /// Σ of -log p(target) in nats over the batch's targets.
  double forward(const LlamaWeights& weights, const Batch& batch);
  /// The same, and gradients += scale times its gradient.
  double forward_backward(const LlamaWeights& weights, const Batch& batch, double scale,
                          const LlamaTensors<real>& gradients);

  /// The loss of any objective over log p of the targets.
  double forward(const LlamaWeights& weights, const Batch& batch, const Objective& objective) override;
  double forward_backward(const LlamaWeights& weights, const Batch& batch, const Objective& objective,
                          const LlamaTensors<real>& gradients) override;

  const LlamaActivations& activations() const { return activations_; }
  View<const real, 2> logits() const { return logits_; }
  /// Of the last batch (B, T): log p of each target, 0 where there is none.
  View<const real, 2> log_p() const { return log_p_; }
  size_t bytes() const {
    return activations_.bytes() + (memory_.capacity() + (buffers_ ? buffers_->arena.capacity() : 0)) * sizeof(real);
  }

 private:
  LlamaActivations activations_;
  Arena<real> memory_;
  View<real, 2> logits_, d_logits_;
  View<real, 1> log_sum_exp_, of_targets_, d_of_targets_;  // the last two: log p, and its gradient
  View<real, 2> log_p_;
  std::unique_ptr<LlamaBackwardBuffers> buffers_;
  std::unique_ptr<KvCache> cache_;  // where it is smaller
};

}  // namespace cria
