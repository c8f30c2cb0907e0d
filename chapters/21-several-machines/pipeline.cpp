// Chapter 21, layers one rank after the other.
#include "chapters/21-several-machines/pipeline.hpp"

#include <fmt/format.h>

#include "lib/base/check.hpp"

namespace cria {

PipelineShards::PipelineShards(Communicator& ranks, const LlamaConfig& whole)
    : ranks_(ranks),
      tokens_(whole.vocabulary_size),
      layers_(Shares{ranks.size(), whole.layers, whole.layers}.of(ranks.rank())) {
  if (ranks.size() > whole.layers)
    throw UserError(fmt::format("{} ranks cannot share {} layers", ranks.size(), whole.layers));
}

Range PipelineShards::embedded() const { return {0, ranks_.rank() == 0 ? tokens_ : 0}; }
Range PipelineShards::predicted() const { return {0, ranks_.rank() == ranks_.size() - 1 ? tokens_ : 0}; }

void PipelineShards::enter(View<real, 2> hidden) {
  // solution: enter_stage
  if (ranks_.rank() > 0) ranks_.receive(ranks_.rank() - 1, std::as_writable_bytes(hidden.span()));
  // end of solution
}

void PipelineShards::leave(View<const real, 2> hidden) {
  // solution: leave_stage
  if (ranks_.rank() + 1 < ranks_.size()) ranks_.send(ranks_.rank() + 1, std::as_bytes(hidden.span()));
  // end of solution
}

// Round the ring, from the last rank to the first and on to the last but one. A row at a time, so that nobody waits for
// all.
void PipelineShards::complete_logits(View<real, 2> logits) {
  const size_t N = ranks_.size(), rank = ranks_.rank();
  for (size_t n = 0; n < logits.shape(0) && N > 1; ++n) {
    const std::span<real> row = logits[n].span();
    if (rank != N - 1) ranks_.receive((rank + N - 1) % N, std::as_writable_bytes(row));
    if (rank != N - 2) ranks_.send((rank + 1) % N, std::as_bytes(row));
  }
}

LlamaWeights pipeline_part(const LlamaWeights& whole, const PipelineShards& shards) {
  LlamaWeights part = whole;
  const Range own = shards.layers();
  part.tensors.layers.assign(whole.tensors.layers.begin() + std::ptrdiff_t(own.begin),
                             whole.tensors.layers.begin() + std::ptrdiff_t(own.end));
  part.config.layers = own.size();
  return part;
}

}  // namespace cria
