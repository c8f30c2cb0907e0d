// Chapter 21: a pipeline, in which each rank has some of the layers (Huang et al. 2018, arXiv:1811.06965, section 2.3),
// for inference.
//
// The first rank has the embedding, too, and the last one the head. What leaves one rank's layers enters the next
// one's, so the numbers are those of one process, bit for bit. Ranks with a text each would all be at work at once;
// with one text one works while the others wait. That is what it costs; what it spares is memory.
#pragma once

#include "chapters/08-llama/llama.hpp"
#include "chapters/21-several-machines/collectives.hpp"

namespace cria {

class PipelineShards : public Shards {
 public:
  /// The communicator must outlive it. Throws UserError where there are more ranks than layers.
  PipelineShards(Communicator& ranks, const LlamaConfig& whole);

  size_t vocabulary_size() const override { return tokens_; }
  Range embedded() const override;
  Range predicted() const override;
  void enter(View<real, 2> hidden) override;
  void complete(View<real, 2>) override {}
  void leave(View<const real, 2> hidden) override;
  void complete_logits(View<real, 2> logits) override;

  Range layers() const { return layers_; }

 private:
  Communicator& ranks_;
  size_t tokens_;
  Range layers_;
};

/// The layers of a rank, in the memory of the whole weights. Nothing is copied.
LlamaWeights pipeline_part(const LlamaWeights& whole, const PipelineShards& shards);

}  // namespace cria
