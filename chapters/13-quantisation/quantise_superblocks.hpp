// From 256 numbers to a superblock of GGML's (lib/formats/blocks.hpp): group_search.hpp finds the numbers, here they
// are packed.
#pragma once

#include <span>

#include "lib/formats/blocks.hpp"

namespace cria {

/// 256 values and their weights.
void quantise(std::span<const float> values, std::span<const float> weights, BlockQ2K& block);
void quantise(std::span<const float> values, std::span<const float> weights, BlockQ3K& block);
void quantise(std::span<const float> values, std::span<const float> weights, BlockQ4K& block);
void quantise(std::span<const float> values, std::span<const float> weights, BlockQ5K& block);
void quantise(std::span<const float> values, std::span<const float> weights, BlockQ6K& block);
void quantise(std::span<const float> values, std::span<const float> weights, BlockIQ4XS& block);

}  // namespace cria
