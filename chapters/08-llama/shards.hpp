// Shards: the processes among which a model's weights are divided, as one of them sees them. Each runs the same wiring
// on its part, and asks these where it cannot go on without the others. Chapter 21 divides models; a process that has
// the whole one has no shards.
#pragma once

#include "lib/base/real.hpp"
#include "lib/base/view.hpp"

namespace cria {

class Shards {
 public:
  virtual ~Shards() = default;

  /// Of the whole model.
  virtual size_t vocabulary_size() const = 0;
  /// The tokens whose rows of the embedding this process has, and those whose rows of the head.
  virtual Range embedded() const = 0;
  virtual Range predicted() const = 0;

  /// What enters this process's first layer: given are the embeddings of its tokens, and zeros for all others.
  virtual void enter(View<real, 2> hidden) = 0;  // (N, C)
  /// Given is this process's part of a sum, for the residual stream or its gradient; then it is the sum, and has the
  /// same bits in each of them.
  virtual void complete(View<real, 2> x) = 0;  // (N, C)
  /// What leaves this process's last layer.
  virtual void leave(View<const real, 2> hidden) = 0;  // (N, C)
  /// Given are the columns of `predicted`; then all are there.
  virtual void complete_logits(View<real, 2> logits) = 0;  // (N, V)
};

}  // namespace cria
