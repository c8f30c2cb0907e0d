// Chapter 21: the loss where each rank has the logits of some of the tokens (Shoeybi et al. 2019, section 3): what is
// sent are three numbers for each position, not its V logits.
#pragma once

#include <vector>

#include "chapters/10-training-step/evaluator.hpp"
#include "chapters/21-several-machines/tensor_shards.hpp"

namespace cria {

/// What a rank knows of a row: the largest of its logits, Σ exp(logit - largest) over them, and the target's logit,
/// which one rank has; 0 elsewhere.
struct RowPart {
  real largest, sum, target;
};
RowPart row_part(View<const real, 1> logits,  // (tokens)
                 Range tokens, std::int32_t target);

/// Of the whole row, from its parts in rank order: log Σ exp(logit), and log p(target).
struct RowLoss {
  real log_sum_exp, log_p;
};
RowLoss join_parts(std::span<const RowPart> parts);

/// d_logits += d_log_p · (one-hot(target) - softmax(logits)), of the own tokens.
void sharded_loss_backward(View<const real, 1> logits, Range tokens, std::int32_t target, real log_sum_exp,
                           real d_log_p, View<real, 1> d_logits);

/// Runs a rank's part of a model over batches; all ranks must run the same ones. Each of them gets the same loss, and
/// the gradients of its own part. Of what several ranks have, norms get their whole gradient on each, keys and values
/// the part that comes through the rank's own queries.
class ShardedEvaluator : public Evaluator {
 public:
  /// For batches of up to (sequences, positions) of the part's configuration, whose vocabulary is the shards' own.
  ShardedEvaluator(const LlamaConfig& part, TensorShards& shards, size_t sequences, size_t positions);

  double forward(const LlamaWeights& weights, const Batch& batch, const Objective& objective) override;
  double forward_backward(const LlamaWeights& weights, const Batch& batch, const Objective& objective,
                          const LlamaTensors<real>& gradients) override;

 private:
  TensorShards& shards_;
  LlamaActivations activations_;
  LlamaBackwardBuffers buffers_;
  Arena<real> memory_;
  View<real, 2> logits_, d_logits_;              // (N, own tokens)
  View<real, 1> log_sum_exp_, log_p_, d_log_p_;  // (N)
  std::vector<RowPart> parts_;                   // (ranks, N)
};

}  // namespace cria
