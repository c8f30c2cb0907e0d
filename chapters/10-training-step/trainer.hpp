// Chapter 10: one training step, from a batch of tokens to new weights.
//
// The batch is split into lanes, whose number is part of the recipe and not of the machine. A lane works through its
// sequences a few at a time (a micro-batch, small enough for the caches) and collects their gradient. Lanes may run on
// different threads; their gradients are summed in lane order. So a step has the same bits on any number of threads.
#pragma once

#include <memory>
#include <vector>

#include "chapters/08-llama/llama.hpp"
#include "chapters/10-training-step/adamw.hpp"

namespace cria {

/// Tokens and what should follow each of them.
struct Batch {
  View<const std::int32_t, 2> tokens;            // (B, T)
  View<const std::int32_t, 2> targets;           // (B, T), or no_target
  std::span<const std::int32_t> first_key = {};  // (B*T) document mask, or empty
};

/// The rows of sequences begin … end - 1 of a batch.
Batch part_of(const Batch& batch, size_t begin, size_t end);
size_t count_targets(const Batch& batch);

/// Runs a model over batches of up to (sequences, positions) and gives the loss, and on request the gradients.
class LossEvaluator {
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
  double forward_backward(const LlamaParameters& weights, const Batch& batch, double scale,
                          const LlamaParameters& gradients);

  const LlamaActivations& activations() const { return activations_; }
  View<const real, 2> logits() const { return logits_; }
  size_t bytes() const {
    return activations_.bytes() + (memory_.capacity() + (buffers_ ? buffers_->arena.capacity() : 0)) * sizeof(real);
  }

 private:
  LlamaActivations activations_;
  Arena<real> memory_;
  View<real, 2> logits_, d_logits_;
  View<real, 1> log_sum_exp_;
  std::unique_ptr<LlamaBackwardBuffers> buffers_;
  std::unique_ptr<KvCache> cache_;  // where it is smaller
};

struct TrainerOptions {
  size_t batch = 16;       // sequences in a step
  size_t positions = 256;  // T
  size_t micro_batch = 1;  // sequences that a lane takes at a time
  size_t lanes = 4;        // the most threads that can share a step
  double clip_norm = 1;    // 0: no clipping
  AdamWOptions adamw = {};
};

struct StepResult {
  double loss;           // mean over the batch's targets, in nats, before the update
  double gradient_norm;  // before clipping
};

class Trainer {
 public:
  Trainer(const LlamaParameters& weights, TrainerOptions options, ThreadPool& pool);

  /// One step: forward, backward, clip, AdamW. When loss or gradient is not finite the weights stay as they were.
  StepResult step(const Batch& batch, double learning_rate);

  /// The loss summed over the targets of a batch of any number of sequences, in nats; changes nothing.
  double evaluate(const Batch& batch);

  AdamW& optimiser() { return optimiser_; }
  const TrainerOptions& options() const { return options_; }

 private:
  struct Lane {
    LossEvaluator evaluator;
    LlamaParameters gradients;
    double loss = 0;
  };
  /// Calls work(lane, micro-batch) for every micro-batch, lanes in parallel, and returns the sum of their losses.
  template <class Work>
  double for_each_micro_batch(const Batch& batch, Work&& work);
  void sum_gradients();

  const LlamaParameters& weights_;
  TrainerOptions options_;
  ThreadPool& pool_;
  std::vector<Lane> lanes_;
  AdamW optimiser_;
};

}  // namespace cria
