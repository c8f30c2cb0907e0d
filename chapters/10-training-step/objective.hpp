// Chapter 10: an objective, what a training step makes smaller.
//
// A language model is trained through the probabilities that it gives to targets, whatever is wanted of them: that they
// are high (cross entropy), that those of one answer are higher than those of another, that answers with a reward
// become more probable. Each such loss has the gradient Σ_n c_n ∂ log p(target_n). So an objective sees log p of the
// targets, and answers with the loss and the c_n. Of a model that gives a number to each position in place of
// probabilities (chapter 16) it sees these values, and answers with the derivatives by them.
#pragma once

#include <functional>

#include "chapters/10-training-step/batch.hpp"

namespace cria {

/// A micro-batch, as the model rates its targets, or its positions.
struct RatedTargets {
  const Batch& batch;         // batch.first says which sequences of the whole batch these are
  View<const real, 2> log_p;  // (B, T) log of the probability of the target, 0 where there is none
  View<real, 2> d_log_p;      // (B, T) zeros, for the derivative of the loss; read only where there is a target
  // Of a model with values these two are there, and those above are empty.
  View<const real, 2> values = {};  // (B, T)
  View<real, 2> d_values = {};      // (B, T) zeros, for the derivative of the loss
};

/// Writes d_log_p and returns the loss of these sequences. The step's loss is the sum over its micro-batches, so an
/// objective divides by what belongs to the whole batch and not to a part. Called on several threads at once.
using Objective = std::function<double(const RatedTargets&)>;

/// The loss Σ -log p, with the derivative of `scale` times that.
Objective cross_entropy(double scale);

}  // namespace cria
