// Chapter 10: what a lane of a trainer runs: a model over micro-batches, and back.
//
// A language model's evaluator rates targets (loss_evaluator.hpp). One of another model shows other numbers to the same
// objectives and trainer, as chapter 16's does, which gives a value to every position.
#pragma once

#include "chapters/08-llama/parameters.hpp"
#include "chapters/10-training-step/objective.hpp"

namespace cria {

class Evaluator {
 public:
  virtual ~Evaluator() = default;

  /// The objective's loss.
  virtual double forward(const LlamaWeights& weights, const Batch& batch, const Objective& objective) = 0;
  /// And gradients += its gradient. Those that are empty, and what belongs to them, are left out.
  virtual double forward_backward(const LlamaWeights& weights, const Batch& batch, const Objective& objective,
                                  const LlamaTensors<real>& gradients) = 0;
};

}  // namespace cria
