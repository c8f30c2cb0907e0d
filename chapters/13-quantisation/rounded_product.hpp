// The product of a block of weights with 32 activations, in whole numbers of 8 bits.
//
// What it means, one block at a time. lib/simd computes the same for 16 rows of weights together
// (lib/simd/packed.hpp); the tests hold both to each other.
#pragma once

#include <cstdint>
#include <span>

#include "lib/formats/blocks.hpp"

namespace cria {

/// 32 activations: x ≈ scale code, codes of -127 … 127.
struct RoundedActivations {
  float scale = 0;
  std::int32_t sum = 0;  // Σ code
  std::int8_t codes[32] = {};
};

/// The activation furthest from zero becomes ±127, the others the nearest code; all are zero where the scale is less
/// than the smallest normal float. Activations must be finite. Throws ContractError for another number than 32.
RoundedActivations round_activations(std::span<const float> x);

/// Σ (code - zero) x = Σ code x - zero Σ x for as many codes as x, the last sum being given. Weights without a sign and
/// activations with one are what the CPU's instruction multiplies (vpdpbusd; Jacob et al. 2018, arXiv:1712.05877,
/// equation 7).
std::int32_t whole_product(std::span<const std::uint8_t> codes, int zero, std::span<const std::int8_t> x,
                           std::int32_t sum_of_x);

/// Σ of the block's numbers times the activations.
float multiply(const BlockQ8_0& block, const RoundedActivations& x);
float multiply(const BlockQ4_0& block, const RoundedActivations& x);
float multiply(const BlockQ4_1& block, const RoundedActivations& x);

}  // namespace cria
