// RoPE's ladder: the worked example, PyTorch, finite differences, contract, CS336.
#include "chapters/04-rope/rope.hpp"

#include "tests/allocations.hpp"
#include "tests/chapters/rope_problem.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

TEST_CASE("RoPE: the example of the lesson, worked by hand") {
  // Pair 0 is turned by a right angle, pair 1 by the angle of the 3-4-5 triangle.
  const Array<real, 3> x = {{{1, 2, 3, 4}}};
  Angles angles({{0, real(0.6)}}, {{1, real(0.8)}});
  CHECK(difference(turned(x, angles, half_split), Array<double, 3>{{{-3, -2, 1, 4}}}, 4 * epsilon) == "");
  CHECK(difference(turned(x, angles, interleaved), Array<double, 3>{{{-2, 1, -1.4, 4.8}}}, 4 * epsilon) == "");
}

TEST_CASE("RoPE: frequencies fall from 1 by equal factors, and angles are positions times frequencies") {
  std::vector<double> frequencies(4);
  rope_inverse_frequencies(10000, frequencies);
  for (size_t i = 0; i < 4; ++i)
    CHECK(difference(frequencies[i] / std::pow(10.0, -static_cast<double>(i)), 1, 1e-15) == "");
  const Angles angles({0, 20}, 8, 10000);
  const Array<double, 2> cosine = {{1, 1, 1, 1}, {std::cos(20.0), std::cos(2.0), std::cos(0.2), std::cos(0.02)}};
  const Array<double, 2> sine = {{0, 0, 0, 0}, {std::sin(20.0), std::sin(2.0), std::sin(0.2), std::sin(0.02)}};
  CHECK(difference(angles.cosine, cosine, epsilon) == "");
  CHECK(difference(angles.sine, sine, epsilon) == "");
}

TEST_CASE("RoPE agrees with PyTorch, both pairings, forward and backward, at any positions") {
  const auto [name, theta] = GENERATE(table<std::string, double>({{"llama2", 10000}, {"llama3", 500000}}));
  const RopePairing pairing = GENERATE(half_split, interleaved);
  CAPTURE(name, pairing == interleaved);
  const std::string folder = "04-rope/" + name;
  const std::string chosen = folder + (pairing == half_split ? "_half_split" : "_interleaved");
  const Array<double, 1> stored = golden<1>(folder + "_positions.npy");
  const Array<real, 3> x = golden_real<3>(folder + "_x.npy");
  Angles angles({stored.begin(), stored.end()}, x.shape(2), theta);
  CHECK(relative_error(turned(x, angles, pairing), golden<3>(chosen + "_y.npy")) < tolerance + angle_rounding);
  Array<real, 3> d_x = golden_real<3>(folder + "_d_y.npy");
  rope_backward(view(d_x), angles, pairing);
  CHECK(relative_error(d_x, golden<3>(chosen + "_d_x.npy")) < tolerance + angle_rounding);
}

#ifdef CRIA_DOUBLE
// Measured: 7.9e-13.
TEST_CASE("RoPE's gradient agrees with finite differences to 1e-8") {
  const RopePairing pairing = GENERATE(half_split, interleaved);
  Array<real, 3> x = random_array<3>({3, 2, 10}, 1);
  const Array<real, 3> d_y = random_array<3>({3, 2, 10}, 2);
  Angles angles({4, 9, 5}, 10, 10000);
  Array<real, 3> d_x = d_y;
  rope_backward(view(d_x), angles, pairing);
  const auto loss = [&] { return product(turned(x, angles, pairing), d_y); };
  CHECK(gradient_error(view(x).span(), view(d_x).span(), loss) < 1e-8);
}
#endif

TEST_CASE("RoPE allocates nothing") {
  Array<real, 3> x = random_array<3>({4, 2, 36}, 1);
  std::vector<double> frequencies(18);
  const std::vector<std::int32_t> positions = {0, 1, 2, 3};
  Angles angles(positions, 36, 10000);
  const size_t before = allocations();
  rope_inverse_frequencies(10000, frequencies);
  rope_angles(positions, frequencies, angles);
  rope_forward(view(x), angles, half_split);
  rope_backward(view(x), angles, interleaved);
  const size_t after = allocations();
  CHECK(after == before);
}

TEST_CASE("RoPE refuses shapes that do not fit, and prints both") {
  Array<real, 3> x = zeros<real, 3>({2, 3, 8}), odd = zeros<real, 3>({2, 3, 7});
  Angles angles({0, 1}, 8, 10000), short_angles({0}, 8, 10000), narrow({0, 1}, 6, 10000);
  CHECK_THROWS_AS(rope_forward(view(x), short_angles, half_split), ContractError);
  CHECK_THROWS_WITH(rope_forward(view(x), short_angles, half_split),
                    "rope_forward: cosine has shape (1, 4), expected (2, 4)");
  CHECK_THROWS_WITH(rope_backward(view(x), narrow, interleaved),
                    "rope_backward: cosine has shape (2, 3), expected (2, 4)");
  CHECK_THROWS_WITH(rope_forward(view(x), RopeAngles{view(angles.cosine), view(narrow.sine)}, half_split),
                    "rope_forward: sine has shape (2, 3), expected (2, 4)");
  CHECK_THROWS_WITH(rope_forward(view(odd), narrow, half_split), "rope_forward: head_dim must be even");
  const std::vector<double> frequencies(4);
  CHECK_THROWS_WITH(rope_angles(std::vector<std::int32_t>{1}, frequencies, angles),
                    "rope_angles: cosine has shape (2, 4), expected (1, 4)");
  const Array<real, 2> weight = zeros<real, 2>({12, 2});
  Array<real, 2> same = weight, other = zeros<real, 2>({12, 3});
  CHECK_THROWS_WITH(rope_permute_rows(view(weight), 4, half_split, view(other)),
                    "rope_permute_rows: to has shape (12, 3), expected (12, 2)");
  for (size_t head_dim : {0, 3, 8})
    CHECK_THROWS_WITH(rope_permute_rows(view(weight), head_dim, half_split, view(same)),
                      "rope_permute_rows: the rows must be whole heads of an even width");
}

TEST_CASE("RoPE: frequencies are scaled as each kind says, worked by hand") {
  const double pi = std::acos(-1.0);
  // 8, 2, 1 and 1/2 turns within 100 positions
  const std::vector<double> plain = {16 * pi / 100, 4 * pi / 100, 2 * pi / 100, pi / 100};
  const auto ratios = [&](const RopeScaling& scaling) {
    std::vector<double> scaled = plain;
    rope_scale_frequencies(scaling, scaled);
    for (size_t i = 0; i < plain.size(); ++i) scaled[i] /= plain[i];
    return scaled;
  };
  using Kind = RopeScaling::Kind;
  const auto close = [](const std::vector<double>& actual, const std::vector<double>& expected) {
    for (size_t i = 0; i < expected.size(); ++i) CHECK(std::abs(actual[i] - expected[i]) < 1e-15);  // a few roundings
  };
  close(ratios({}), {1, 1, 1, 1});
  close(ratios({.kind = Kind::linear, .factor = 4}), {0.25, 0.25, 0.25, 0.25});
  // 2 turns lie a third of the way from 1 to 4: 1/3 of it is kept, 2/3 divided by 4.
  close(ratios({.kind = Kind::llama3, .factor = 4, .original_context = 100}), {1, 0.5, 0.25, 0.25});
  close(ratios({.kind = Kind::divisors, .divisors = {1, 2, 4, 8}}), {1, 0.5, 0.25, 0.125});
  std::vector<double> few(3);
  CHECK_THROWS_AS(rope_scale_frequencies({.kind = Kind::divisors, .divisors = {1, 2}}, few), ContractError);
}
