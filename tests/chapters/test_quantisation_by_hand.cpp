// The examples of lesson 13, worked by hand.
#include <array>
#include <cmath>

#include "chapters/13-quantisation/divergence.hpp"
#include "chapters/13-quantisation/half_scale.hpp"
#include "chapters/13-quantisation/pack.hpp"
#include "chapters/13-quantisation/rounded_product.hpp"
#include "chapters/13-quantisation/scale_search.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

constexpr float alike[] = {1, 1, 1, 1};
constexpr double single_epsilon = std::numeric_limits<float>::epsilon();

std::vector<int> codes_of(std::span<const float> values, const Fit& fit, const Levels& levels) {
  std::vector<std::uint8_t> codes(values.size());
  nearest_codes(values, fit, levels, codes.data());
  return {codes.begin(), codes.end()};
}

}  // namespace

TEST_CASE("four numbers in two bits: the scale of the lesson") {
  const float x[] = {3, 1.2f, -0.3f, -1.4f};
  const Levels levels(-2, 1);
  const Fit plain{-1.5f, 0}, found = search_scale(x, alike, levels);
  CHECK(codes_of(x, plain, levels) == std::vector<int>{0, 1, 2, 3});
  CHECK(codes_of(x, found, levels) == std::vector<int>{0, 1, 2, 3});
  CHECK(difference(weighted_error(x, alike, plain, levels), 0.19, 4 * single_epsilon) == "");
  CHECK(difference(found.scale, -8.6 / 6, 2 * single_epsilon) == "");
  CHECK(difference(weighted_error(x, alike, found, levels), 12.49 - 8.6 * 8.6 / 6, 4 * single_epsilon) == "");
}

TEST_CASE("four numbers in two bits: the scale and minimum of the lesson") {
  const float x[] = {0.1f, 0.9f, 2.1f, 3.2f};
  const Levels levels(0, 3);
  const Fit found = search_scale_and_minimum(x, alike, levels, MinimumSign::any);
  CHECK(codes_of(x, found, levels) == std::vector<int>{0, 1, 2, 3});
  CHECK(difference(found.scale, 1.05, 2 * single_epsilon) == "");
  CHECK(difference(found.minimum, 0, 2 * single_epsilon) == "");
  CHECK(difference(weighted_error(x, alike, found, levels), 0.035, 4 * single_epsilon) == "");
}

TEST_CASE("codes of four bits: the first half lies in the low bits of the bytes, the second in the high ones") {
  const std::uint8_t codes[] = {1, 2, 3, 15};
  std::uint8_t bytes[2];
  pack_nibbles(codes, 2, bytes);
  CHECK(int(bytes[0]) == 0x31);
  CHECK(int(bytes[1]) == 0xf2);
}

TEST_CASE("a scale is what float16 makes of it, and 65504 where it is larger") {
  CHECK(HalfScale(0.1f).value == 1638 * 0x1p-14f);
  CHECK(HalfScale(-0.1f).value == -1638 * 0x1p-14f);
  CHECK(HalfScale(0.1f).bits == 0x2e66);
  CHECK(HalfScale(7e4f).value == 65504);
  CHECK(HalfScale(-7e4f).value == -65504);
}

TEST_CASE("a product in whole numbers: the codes of the lesson") {
  const std::uint8_t codes[] = {3, 15, 8, 0};
  const std::int8_t x[] = {2, -1, 127, 1};
  CHECK(whole_product(codes, 0, x, 129) == 1007);
  CHECK(whole_product(codes, 8, x, 129) == -25);
  CHECK_THROWS_AS(whole_product(std::span(codes).first(3), 8, x, 129), ContractError);
}

TEST_CASE("two distributions: the divergence of the lesson") {
  // p = (1/2, 1/2), q = (1/4, 3/4), and logits are logarithms of them up to any constant.
  const auto log_of = [](double p) { return real(std::log(p)); };
  const Array<real, 2> p{{log_of(0.5) + 3, log_of(0.5) + 3}}, q{{log_of(0.25) - 2, log_of(0.75) - 2}};
  const Array<std::int32_t, 1> target{0};
  CHECK(difference(divergence(view(p), view(q), view(target)), std::log(4. / 3) / 2, 4 * epsilon) == "");
  CHECK(difference(divergence(view(q), view(p), view(target)), std::log(0.5) / 4 + std::log(1.5) * 0.75, 4 * epsilon) ==
        "");
}
