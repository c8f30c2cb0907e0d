// Chapter 15: which weights an adapter has been trained over.
#pragma once

#include <cstdint>

#include "chapters/08-llama/parameters.hpp"

namespace cria {

/// Of the numbers that the weights stand for, however they are stored or laid out in memory; adapters do not count.
/// `before` is the fingerprint of what else belongs to it.
std::uint64_t base_fingerprint(const LlamaWeights& weights, std::uint64_t before);

}  // namespace cria
