// Chapter 21: tensor parallelism, in which every layer is divided among the ranks (tensor_cut.hpp).
//
// All ranks pass through the model at once, each with its heads and its part of F, and have the same residual stream.
// Twice in a layer each has a part of what is added to it, and these parts are summed; in a backward pass as often.
#pragma once

#include <vector>

#include "chapters/08-llama/shards.hpp"
#include "chapters/21-several-machines/collectives.hpp"
#include "chapters/21-several-machines/tensor_cut.hpp"

namespace cria {

class TensorShards : public Shards {
 public:
  /// The communicator must outlive it.
  TensorShards(Communicator& ranks, const TensorCut& cut) : ranks_(ranks), cut_(cut) {}

  size_t vocabulary_size() const override { return cut_.vocabulary_size; }
  Range embedded() const override { return cut_.tokens; }
  Range predicted() const override { return cut_.tokens; }
  void enter(View<real, 2> hidden) override;
  void complete(View<real, 2> x) override;
  void leave(View<const real, 2>) override {}
  void complete_logits(View<real, 2> logits) override;

  Communicator& ranks() const { return ranks_; }
  const TensorCut& cut() const { return cut_; }

 private:
  Communicator& ranks_;
  TensorCut cut_;
  std::vector<real> room_;
};

}  // namespace cria
