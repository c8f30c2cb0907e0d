// Chapter 10: one training step, from a batch of tokens to new weights.
//
// The batch is split into lanes, whose number is part of the recipe and not of the machine. A lane works through its
// sequences a few at a time (a micro-batch, small enough for the caches) and collects their gradient. Lanes may run on
// different threads; their gradients are summed in lane order. So a step has the same bits on any number of threads.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "chapters/10-training-step/adamw.hpp"
#include "chapters/10-training-step/loss_evaluator.hpp"
#include "chapters/10-training-step/peers.hpp"
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
  /// For a model of that configuration. Peers share the steps: all of them have such a trainer, and do all that it does
  /// together. They must outlive it. Throws ContractError for a pool that would run several lanes at once where peers
  /// meet within lanes.
  Trainer(const LlamaConfig& config, const Trainable& trainable, TrainerOptions options, ThreadPool& pool,
          Peers* peers = nullptr);
  /// All parameters of a model.
  Trainer(const LlamaParameters& weights, TrainerOptions options, ThreadPool& pool, Peers* peers = nullptr)
      : Trainer(weights.config(), weights, options, pool, peers) {}

  /// One step: forward, backward, clip, AdamW. When loss or gradient is not finite the weights stay as they were.
  StepResult step(const Batch& batch, double learning_rate);
  /// The same for another objective than cross entropy, which peers cannot be told.
  StepResult step(const Batch& batch, double learning_rate, const Objective& objective);

  /// The loss summed over the targets of a batch of any number of sequences, in nats; changes nothing.
  double evaluate(const Batch& batch);
  /// The objective's loss.
  double evaluate(const Batch& batch, const Objective& objective);

  // With peers, what all have together.
  /// All numbers, of which these parameters may be a part.
  const std::vector<ParameterSet::Tensor>& whole_layout() const;
  /// The leader's: all get their parts of `all`, of a run that has done so many steps; and it gets there what they
  /// have.
  void deal(Held what, const ParameterSet& all, size_t steps_done);
  void gather(Held what, const ParameterSet& all);
  /// The same of a peer that is told to.
  void take_part(const Task& task) { take_part(task, {}); }

  Peers* peers() const { return peers_; }
  const ParameterSet& parameters() const { return parameters_; }
  /// With peers: of the own parts.
  AdamW& optimiser() { return optimiser_; }
  const AdamW& optimiser() const { return optimiser_; }
  const TrainerOptions& options() const { return options_; }

 private:
  struct Lane {
    std::unique_ptr<Evaluator> evaluator;
    ParameterSet gradients;
    LaneModel model;
    bool last_pass = false;  // of a step with peers: it makes gradients final
  };
  /// Calls work(lane, micro-batch) for every micro-batch, lanes in parallel, and returns the sum of their losses.
  template <class Work>
  double for_each_micro_batch(const Batch& batch, Work&& work);
  double forward_backward(Lane& lane, const Batch& micro_batch, const Objective& objective);
  void tell_final(const Lane& lane, size_t layer);
  void tell(const Task& task);
  void take_part(const Task& task, std::span<real> all);
  void require_told();
  StepResult learn(const Batch& batch, double learning_rate, const Objective& objective);
  /// In lane order; with peers only the own parts of the sum are right.
  void sum_gradients();
  /// Of the sum.
  double gradient_norm();

  const ParameterSet& parameters_;
  TrainerOptions options_;
  ThreadPool& pool_;
  Peers* peers_;
  bool told_ = false;          // them, what comes next
  bool forms_shared_ = false;  // gradients that they sum
  Range own_lanes_, own_parts_;
  std::vector<Lane> lanes_;  // the own ones
  std::vector<std::span<real>> lane_gradients_;
  std::vector<double> losses_;  // of all lanes
  AdamW optimiser_;
};

}  // namespace cria
