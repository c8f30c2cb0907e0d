// From 32 numbers to a block of GGML's with one scale, and for some types a minimum (lib/formats/blocks.hpp).
#pragma once

#include <span>

#include "lib/formats/blocks.hpp"

namespace cria {

/// 32 values and their weights. The codes are the nearest under the scale and minimum as the block holds them, rounded
/// to float16, and not under those that were found.
void quantise(std::span<const float> values, std::span<const float> weights, BlockQ8_0& block);
void quantise(std::span<const float> values, std::span<const float> weights, BlockQ4_0& block);
void quantise(std::span<const float> values, std::span<const float> weights, BlockQ4_1& block);
void quantise(std::span<const float> values, std::span<const float> weights, BlockQ5_0& block);
void quantise(std::span<const float> values, std::span<const float> weights, BlockQ5_1& block);
void quantise(std::span<const float> values, std::span<const float> weights, BlockIQ4NL& block);

}  // namespace cria
