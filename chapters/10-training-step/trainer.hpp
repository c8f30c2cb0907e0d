// Chapter 10: one training step, from a batch of tokens to new weights.
//
// The batch is split into lanes, whose number is part of the recipe and not of the machine. A lane works through its
// sequences a few at a time (a micro-batch, small enough for the caches) and collects their gradient. Lanes may run on
// different threads; their gradients are summed in lane order. So a step has the same bits on any number of threads.
#pragma once

#include <memory>
#include <vector>

#include "chapters/10-training-step/adamw.hpp"
#include "chapters/10-training-step/loss_evaluator.hpp"
#include "chapters/10-training-step/trainable.hpp"

namespace cria {

struct TrainerOptions {
  size_t batch = 16;       // sequences in a step
  size_t positions = 256;  // T
  size_t micro_batch = 1;  // sequences that a lane takes at a time
  size_t lanes = 4;        // the most threads that can share a step
  size_t together = 1;     // so many sequences in a row stay in one micro-batch: 2 where they are pairs
  double clip_norm = 1;    // 0: no clipping
  AdamWOptions adamw = {};
};

struct StepResult {
  double loss;           // before the update: mean over the batch's targets, in nats, or the objective's
  double gradient_norm;  // before clipping
};

class Trainer {
 public:
  /// For a model of that configuration.
  Trainer(const LlamaConfig& config, const Trainable& trainable, TrainerOptions options, ThreadPool& pool);
  /// All parameters of a model.
  Trainer(const LlamaParameters& weights, TrainerOptions options, ThreadPool& pool)
      : Trainer(weights.config(), weights, options, pool) {}

  /// One step: forward, backward, clip, AdamW. When loss or gradient is not finite the weights stay as they were.
  StepResult step(const Batch& batch, double learning_rate);
  /// The same for another objective than cross entropy.
  StepResult step(const Batch& batch, double learning_rate, const Objective& objective);

  /// The loss summed over the targets of a batch of any number of sequences, in nats; changes nothing.
  double evaluate(const Batch& batch);
  /// The objective's loss.
  double evaluate(const Batch& batch, const Objective& objective);

  AdamW& optimiser() { return optimiser_; }
  const AdamW& optimiser() const { return optimiser_; }
  const TrainerOptions& options() const { return options_; }

 private:
  struct Lane {
    std::unique_ptr<Evaluator> evaluator;
    ParameterSet gradients;
    LaneModel model;
    double loss = 0;
  };
  /// Calls work(lane, micro-batch) for every micro-batch, lanes in parallel, and returns the sum of their losses.
  template <class Work>
  double for_each_micro_batch(const Batch& batch, Work&& work);
  double forward_backward(Lane& lane, const Batch& micro_batch, const Objective& objective);
  void sum_gradients();

  const ParameterSet& parameters_;
  TrainerOptions options_;
  ThreadPool& pool_;
  std::vector<Lane> lanes_;
  AdamW optimiser_;
};

}  // namespace cria
