#include "chapters/13-quantisation/quantise_blocks.hpp"

#include <algorithm>

#include "chapters/13-quantisation/half_scale.hpp"
#include "chapters/13-quantisation/pack.hpp"
#include "chapters/13-quantisation/scale_search.hpp"

namespace cria {
namespace {

constexpr size_t numbers = 32;

/// Writes the block's scale, and the codes that go with it.
template <class Block>
void quantise_symmetric(std::span<const float> values, std::span<const float> weights, const Levels& levels,
                        Block& block, std::uint8_t* codes) {
  const HalfScale scale(search_scale(values, weights, levels).scale);
  block.scale = scale.bits;
  nearest_codes(values, {scale.value, 0}, levels, codes);
}

template <class Block>
void quantise_affine(std::span<const float> values, std::span<const float> weights, const Levels& levels, Block& block,
                     std::uint8_t* codes) {
  // solution: quantise_affine
  const Fit fit = search_scale_and_minimum(values, weights, levels, MinimumSign::any);
  const HalfScale scale(fit.scale), minimum(fit.minimum);
  block.scale = scale.bits;
  block.minimum = minimum.bits;
  nearest_codes(values, {scale.value, minimum.value}, levels, codes);
  // end of solution
}

}  // namespace

void quantise(std::span<const float> values, std::span<const float> weights, BlockQ8_0& block) {
  std::uint8_t codes[numbers];
  quantise_symmetric(values, weights, Levels(-127, 127), block, codes);
  std::ranges::transform(codes, block.codes, [](int code) { return static_cast<std::int8_t>(code - 127); });
}

void quantise(std::span<const float> values, std::span<const float> weights, BlockQ4_0& block) {
  std::uint8_t codes[numbers];
  quantise_symmetric(values, weights, Levels(-8, 7), block, codes);
  pack_nibbles(codes, numbers / 2, block.codes);
}

void quantise(std::span<const float> values, std::span<const float> weights, BlockQ4_1& block) {
  std::uint8_t codes[numbers];
  quantise_affine(values, weights, Levels(0, 15), block, codes);
  pack_nibbles(codes, numbers / 2, block.codes);
}

void quantise(std::span<const float> values, std::span<const float> weights, BlockQ5_0& block) {
  std::uint8_t codes[numbers];
  quantise_symmetric(values, weights, Levels(-16, 15), block, codes);
  pack_nibbles(codes, numbers / 2, block.codes);
  pack_bits(codes, 4, numbers, block.fifth);
}

void quantise(std::span<const float> values, std::span<const float> weights, BlockQ5_1& block) {
  std::uint8_t codes[numbers];
  quantise_affine(values, weights, Levels(0, 31), block, codes);
  pack_nibbles(codes, numbers / 2, block.codes);
  pack_bits(codes, 4, numbers, block.fifth);
}

void quantise(std::span<const float> values, std::span<const float> weights, BlockIQ4NL& block) {
  std::uint8_t codes[numbers];
  quantise_symmetric(values, weights, Levels(iq4_levels), block, codes);
  pack_nibbles(codes, numbers / 2, block.codes);
}

}  // namespace cria
