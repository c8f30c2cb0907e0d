// Blocks of weights times activations of 8 bits: held to sums in double of the very numbers that the codes stand for,
// and to what lib/simd makes of the same on every target.
#include <cmath>
#include <cstring>

#include "chapters/13-quantisation/quantise_blocks.hpp"
#include "chapters/13-quantisation/rounded_product.hpp"
#include "lib/formats/pack_row.hpp"
#include "tests/lib/simd_testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

constexpr size_t numbers = 32;
constexpr double float_epsilon = std::numeric_limits<float>::epsilon();

std::vector<float> thirty_two(std::uint64_t seed, double scale = 1) {
  const auto array = random_array<1>({numbers}, seed, scale);
  return {array.begin(), array.end()};
}

template <class Block>
Block block_of(const std::vector<float>& values) {
  Block block;
  quantise(values, std::vector<float>(numbers, 1), block);
  return block;
}

/// Σ of the block's numbers times those of the rounded activations, and of the sizes of all that is added up.
template <class Block>
std::pair<double, double> exact_product(const Block& block, const RoundedActivations& x) {
  float weights[numbers];
  decode(block, weights);
  double sum = 0, size = 0;
  for (size_t i = 0; i < numbers; ++i) {
    const double product = double(weights[i]) * (double(x.scale) * x.codes[i]);
    sum += product, size += std::abs(product);
  }
  return {sum, size};
}

/// Four roundings of a product, and as many of the minimum's, which may cancel with it.
template <class Block>
void check_product(const Block& block, const RoundedActivations& x) {
  const auto [sum, size] = exact_product(block, x);
  CHECK(difference(multiply(block, x), sum, 8 * float_epsilon * size) == "");
}

template <class Block>
float product_of_simd(ElementType type, const Block& block, const std::vector<float>& x) {
  std::vector<std::byte> memory(simd::packed_bytes(Block::type, 1, numbers) + 64);
  auto* to = reinterpret_cast<std::byte*>((reinterpret_cast<std::uintptr_t>(memory.data()) + 63) / 64 * 64);
  pack_row(type, reinterpret_cast<const std::byte*>(&block), numbers, 0, to);
  const std::vector<real> row(x.begin(), x.end());
  real y = 0;
  simd::multiply_packed({Block::type, to, 0, 1, numbers}, 1, row.data(), numbers, &y, 1);
  return float(y);
}

}  // namespace

TEST_CASE("the activation furthest from zero becomes 127, and the others the nearest code") {
  for (const double size : {1e-30, 0.5, 1e30}) {
    std::vector<float> x = thirty_two(1, size);
    x[17] = float(-5 * size);
    const RoundedActivations rounded = round_activations(x);
    CHECK(int(rounded.codes[17]) == -127);
    int sum = 0;
    double worst = 0;
    for (size_t i = 0; i < numbers; ++i) {
      sum += rounded.codes[i];
      worst = std::max(worst, std::abs(double(x[i]) / double(rounded.scale) - rounded.codes[i]));
    }
    CHECK(rounded.sum == sum);
    CHECK(worst <= 0.5 + 127 * float_epsilon);
  }
  for (const float value : {0.0f, 1e-44f}) CHECK(round_activations(std::vector<float>(numbers, value)).sum == 0);
  CHECK_THROWS_AS(round_activations(std::vector<float>(31)), ContractError);
}

TEST_CASE("a product in whole numbers is that of the numbers which the codes stand for") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const std::vector<float> weights = thirty_two(seed, 0.05);
    const RoundedActivations x = round_activations(thirty_two(seed + 100, 3));
    check_product(block_of<BlockQ8_0>(weights), x);
    check_product(block_of<BlockQ4_0>(weights), x);
    check_product(block_of<BlockQ4_1>(weights), x);
  }
}

TEST_CASE("codes at the ends of their range are multiplied as they are") {
  for (const int byte : {0x00, 0x7f, 0x80, 0xff})
    for (const float value : {1.0f, -1.0f}) {
      const RoundedActivations x = round_activations(std::vector<float>(numbers, value));
      const auto filled = [&]<class Block>(Block block) {
        std::memset(&block, byte, sizeof block);
        block.scale = 0x3c00;  // 1
        if constexpr (requires { block.minimum; }) block.minimum = 0x3c00;
        return block;
      };
      check_product(filled(BlockQ8_0()), x);
      check_product(filled(BlockQ4_0()), x);
      check_product(filled(BlockQ4_1()), x);
    }
}

TEST_CASE("what multiplies weights as they are stored does the same, on every target") {
  on_every_target([] {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      const std::vector<float> weights = thirty_two(seed, 0.05), x = thirty_two(seed + 200, 2);
      const RoundedActivations rounded = round_activations(x);
      const auto check = [&](ElementType type, const auto& block) {
        const double size = exact_product(block, rounded).second;
        CHECK(difference(product_of_simd(type, block, x), multiply(block, rounded), 8 * float_epsilon * size) == "");
      };
      check(ElementType::q8_0, block_of<BlockQ8_0>(weights));
      check(ElementType::q4_0, block_of<BlockQ4_0>(weights));
      check(ElementType::q4_1, block_of<BlockQ4_1>(weights));
    }
  });
}
