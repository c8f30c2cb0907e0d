// Chapter 15, merging: every adapted matrix of a model.
#include "chapters/15-adapters/merge.hpp"

#include <algorithm>

#include "chapters/15-adapters/low_rank.hpp"
#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

void add(const LlamaParameters& weights, const Lora& lora, double scale) {
  size_t merged = 0;
  weights.for_each([&]<size_t N>(const std::string& name, const View<real, N>& weight) {
    if constexpr (N == 2)
      for (const AdaptedLinear& linear : lora.linears())
        if (linear.module + ".weight" == name) {
          merge_low_rank(weight, linear.a, linear.b, real(scale));
          ++merged;
        }
  });
  require(merged == lora.linears().size(), "merge",
          "the adapter changes a head that is the embedding, or belongs to another model");
}

bool adapts_head(const Lora& lora) {
  return std::ranges::any_of(lora.linears(), [](const AdaptedLinear& linear) { return linear.module == "lm_head"; });
}

}  // namespace

void merge(const LlamaParameters& weights, const Lora& lora) { add(weights, lora, lora_scale(lora.options())); }
void unmerge(const LlamaParameters& weights, const Lora& lora) { add(weights, lora, -lora_scale(lora.options())); }

LlamaParameters merged(const LlamaParameters& base, const Lora& lora) {
  LlamaConfig config = base.config();
  // solution: untie_head
  if (adapts_head(lora)) config.tied_embeddings = false;
  // end of solution
  LlamaParameters weights(config);
  std::ranges::copy(base.flat(), weights.flat().begin());  // an untied head is stored last
  if (config.tied_embeddings != base.config().tied_embeddings) noalias(weights.tensors().head) = base.tensors().head;
  merge(weights, lora);
  return weights;
}

}  // namespace cria
