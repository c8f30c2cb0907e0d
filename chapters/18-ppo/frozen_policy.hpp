// Chapter 18: the reference, a model that stays as it is and only says how probable answers are.
#pragma once

#include <vector>

#include "chapters/10-training-step/loss_evaluator.hpp"
#include "lib/base/thread_pool.hpp"

namespace cria {

/// Takes a batch through as many lanes, in as large micro-batches, as a trainer would, so that the same weights give
/// the same bits. Neither gradients nor moments take memory.
class FrozenPolicy {
 public:
  /// The weights must outlive it.
  FrozenPolicy(const LlamaConfig& config, const LlamaWeights& weights, size_t lanes, size_t micro_batch,
               size_t positions, ThreadPool& pool);

  /// log p of each target of a batch, or a part of one, to its place in (B, T) of the whole; 0 where there is none.
  void rate(const Batch& batch, View<real, 2> log_p);

 private:
  LlamaWeights weights_;
  size_t micro_batch_;
  ThreadPool& pool_;
  std::vector<LossEvaluator> lanes_;
};

}  // namespace cria
