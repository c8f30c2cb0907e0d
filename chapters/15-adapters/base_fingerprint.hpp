// Chapter 15: which weights an adapter has been trained over.
#pragma once

#include <cstdint>

#include "chapters/08-llama/parameters.hpp"

namespace cria {

/// Of whole weights as they are stored: the same numbers in another type are another base. An adapter that is attached
/// to them does not count. `before` is the fingerprint of what else belongs to it.
std::uint64_t base_fingerprint(const LlamaWeights& weights, std::uint64_t before);

}  // namespace cria
