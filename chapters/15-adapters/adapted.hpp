// Chapter 15: weights that keep their adapter, of any kind that has attached_to(base).
#pragma once

#include <memory>
#include <utility>

#include "chapters/08-llama/parameters.hpp"

namespace cria {

/// The same weights with the adapter, which they keep.
template <class Adapter>
LlamaWeights adapted(const LlamaWeights& base, Adapter adapter) {
  struct Kept {
    Adapter adapter;
    std::shared_ptr<const void> attached;
  };
  const auto kept = std::make_shared<Kept>(Kept{std::move(adapter), {}});
  LlamaWeights weights = kept->adapter.attached_to(base);
  kept->attached = weights.memory;
  weights.memory = kept;
  return weights;
}

}  // namespace cria
