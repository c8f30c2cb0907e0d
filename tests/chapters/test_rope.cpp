#include "chapters/04-rope/rope.hpp"

#include <numeric>

#include "lib/formats/npy.hpp"
#include "lib/formats/safetensors.hpp"
#include "tests/allocations.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

constexpr double epsilon = std::numeric_limits<real>::epsilon();
// In units of `real`'s rounding, relative to an array's largest entry. Measured over all tests here, float and double:
// at most 2.
constexpr double tolerance = 4 * epsilon;
// What the rounding of a frequency to double becomes in the angle of the farthest position here; only the double build
// is exact enough to see it (measured: 6.7e-14 between positions 100000 apart).
constexpr double angle_rounding = 131071 * 0x1p-52;

const auto half_split = RopePairing::half_split, interleaved = RopePairing::interleaved;

/// Angles that own their memory.
struct Angles {
  Array<real, 2> cosine, sine;

  Angles(const std::vector<std::int32_t>& positions, size_t head_dim, double theta) {
    std::vector<double> frequencies(head_dim / 2);
    rope_inverse_frequencies(theta, frequencies);
    cosine = sine = zeros<real, 2>({positions.size(), head_dim / 2});
    rope_angles(positions, frequencies, *this);
  }
  Angles(Array<real, 2> cosine_, Array<real, 2> sine_) : cosine(std::move(cosine_)), sine(std::move(sine_)) {}
  operator RopeAngles() { return {view(cosine), view(sine)}; }
};

Array<real, 3> turned(Array<real, 3> x, RopeAngles angles, RopePairing pairing) {
  rope_forward(view(x), angles, pairing);
  return x;
}

/// x (1, H, D) at one position.
Array<real, 3> at_position(const Array<real, 3>& x, std::int32_t position, RopePairing pairing, double theta = 10000) {
  return turned(x, Angles({position}, x.shape(2), theta), pairing);
}

double product(const Array<real, 3>& a, const Array<real, 3>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

/// weight (H*D, C) times x (C), as (1, H, D).
Array<real, 3> project(const Array<real, 2>& weight, const Array<real, 1>& x, size_t head_dim) {
  Array<real, 3> out(Shape<3>{1, weight.shape(0) / head_dim, head_dim});
  for (size_t row = 0; row < weight.shape(0); ++row)
    out.flat(row) = static_cast<real>(std::inner_product(x.begin(), x.end(), &weight(row, 0), 0.0));
  return out;
}

Array<real, 2> permuted(const Array<real, 2>& weight, size_t head_dim, RopePairing from) {
  Array<real, 2> out = zeros<real, 2>({weight.shape(0), weight.shape(1)});
  rope_permute_rows(view(weight), head_dim, from, view(out));
  return out;
}

}  // namespace

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
  for (size_t i = 0; i < 4; ++i) CHECK(std::abs(frequencies[i] / std::pow(10.0, -static_cast<double>(i)) - 1) < 1e-15);
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

TEST_CASE("RoPE changes nothing at position 0, and backward undoes forward elsewhere") {
  const RopePairing pairing = GENERATE(half_split, interleaved);
  const size_t D = GENERATE(2, 8, 36, 64);
  const Array<real, 3> x = random_array<3>({3, 5, D}, 1);
  CHECK(difference(turned(x, Angles({0, 0, 0}, D, 10000), pairing), x, 0) == "");
  Angles angles({3, 1000, 77}, D, 10000);
  Array<real, 3> y = turned(x, angles, pairing);
  CHECK(difference(y, x, 0.1) != "");
  rope_backward(view(y), angles, pairing);
  CHECK(relative_error(y, x) < tolerance);
}

TEST_CASE("RoPE keeps the length of every head") {
  const RopePairing pairing = GENERATE(half_split, interleaved);
  for (std::int32_t position : {1, 17, 100000}) {
    const Array<real, 3> x = random_array<3>({1, 1, 36}, 3), y = at_position(x, position, pairing);
    CHECK(std::abs(product(y, y) / product(x, x) - 1) < tolerance);
  }
}

TEST_CASE("RoPE: a query's product with a key depends on how far apart they are, and on nothing else") {
  const RopePairing pairing = GENERATE(half_split, interleaved);
  const Array<real, 3> q = random_array<3>({1, 1, 36}, 4), k = random_array<3>({1, 1, 36}, 5);
  const auto score = [&](std::int32_t query, std::int32_t key) {
    return product(at_position(q, query, pairing), at_position(k, key, pairing));
  };
  const double lengths = std::sqrt(product(q, q) * product(k, k));
  for (std::int32_t shift : {1, 100, 100000})
    CHECK(std::abs(score(12 + shift, 5 + shift) - score(12, 5)) < (tolerance + angle_rounding) * lengths);
  CHECK(std::abs(score(13, 5) - score(12, 5)) > 0.01 * lengths);
  CHECK(std::abs(score(5, 12) - score(12, 5)) > 0.01 * lengths);  // the sign of the distance matters too
}

TEST_CASE("RoPE: heads and rows are turned one by one, in rows of a wider matrix as well") {
  const RopePairing pairing = GENERATE(half_split, interleaved);
  const size_t N = 3, H = 2, D = 10, width = H * D + 3;
  const Array<real, 3> x = random_array<3>({N, H, D}, 6);
  const std::vector<std::int32_t> positions = {8, 2, 5};
  Array<real, 2> wide(Shape<2>{N, width}, real(77));
  for (size_t n = 0; n < N; ++n) std::copy_n(&x(n, 0, 0), H * D, &wide(n, 0));
  rope_forward(View<real, 3>(wide.data(), {N, H, D}, {width, D, 1}), Angles(positions, D, 10000), pairing);
  for (size_t n = 0; n < N; ++n) {
    for (size_t h = 0; h < H; ++h) {
      const Array<real, 3> alone =
          at_position(xt::adapt(&x(n, h, 0), D, xt::no_ownership(), Shape<3>{1, 1, D}), positions[n], pairing);
      CHECK(std::equal(alone.begin(), alone.end(), &wide(n, h * D)));
    }
    for (size_t c = H * D; c < width; ++c) CHECK(wide(n, c) == 77);
  }
}

TEST_CASE("RoPE: one head's rows move from half-split to interleaved as drawn in the lesson, and back") {
  const Array<real, 2> half = {{0}, {1}, {2}, {10}, {11}, {12}}, mixed = {{0}, {10}, {1}, {11}, {2}, {12}};
  CHECK(difference(permuted(half, 6, half_split), mixed, 0) == "");
  CHECK(difference(permuted(mixed, 6, interleaved), half, 0) == "");
  const Array<real, 2> heads = {{0}, {1}, {10}, {11}, {20}, {21}, {30}, {31}};
  const Array<real, 2> mixed_heads = {{0}, {10}, {1}, {11}, {20}, {30}, {21}, {31}};
  CHECK(difference(permuted(heads, 4, half_split), mixed_heads, 0) == "");
}

TEST_CASE("RoPE: a model gives the same scores with either pairing, once its rows are permuted") {
  const size_t D = 12, C = 9;
  const Array<real, 2> query_weight = random_array<2>({2 * D, C}, 7), key_weight = random_array<2>({2 * D, C}, 8);
  const Array<real, 1> x = random_array<1>({C}, 9), z = random_array<1>({C}, 10);
  const auto score = [&](const Array<real, 2>& wq, const Array<real, 2>& wk, RopePairing pairing) {
    return product(at_position(project(wq, x, D), 9, pairing), at_position(project(wk, z, D), 4, pairing));
  };
  const double expected = score(query_weight, key_weight, half_split);
  const double scale = std::sqrt(product(project(query_weight, x, D), project(query_weight, x, D)) *
                                 product(project(key_weight, z, D), project(key_weight, z, D)));
  const auto mixed = [&](const Array<real, 2>& weight) { return permuted(weight, D, half_split); };
  CHECK(std::abs(score(mixed(query_weight), mixed(key_weight), interleaved) - expected) < tolerance * scale);
  CHECK(std::abs(score(query_weight, key_weight, interleaved) - expected) > 0.01 * scale);
}

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

// ---- the world's cases ----

TEST_CASE("RoPE reproduces CS336's, which pairs interleaved, within its own tolerance of 1e-6") {
  const auto cases = cases_folder();
  if (!cases) return;
  const auto read = [&](const char* name) { return read_npy(*cases / "peer/cs336_2025/rope" / name).values; };
  const std::vector<double> x = read("x.npy"), positions = read("positions.npy"), expected = read("expected.npy");
  const size_t D = 64, N = positions.size(), batches = x.size() / (N * D);
  Angles angles({positions.begin(), positions.end()}, D, 10000);
  for (size_t b = 0; b < batches; ++b) {
    Array<real, 3> one(Shape<3>{N, 1, D});
    Array<double, 3> wanted(Shape<3>{N, 1, D});
    std::copy_n(x.begin() + b * N * D, N * D, one.begin());
    std::copy_n(expected.begin() + b * N * D, N * D, wanted.begin());
    CHECK(difference(turned(one, angles, interleaved), wanted, 1e-6) == "");
  }
}

TEST_CASE("RoPE: permuting its rows turns Hugging Face's query and key weights into Meta's, exactly") {
  const auto cases = cases_folder();
  if (!cases) return;
  const auto folder = *cases / "forward/gqa_8_2";  // 8 query heads and 2 key/value heads of width 8, model width 64
  const SafetensorsFile hugging_face(folder / "model.safetensors");
  const SafetensorsFile meta(folder / "meta_layout/consolidated.safetensors");
  const auto [name, meta_name, rows] =
      GENERATE(table<std::string, std::string, size_t>({{"q_proj", "wq", 64}, {"k_proj", "wk", 16}}));
  Array<real, 2> half = zeros<real, 2>({rows, 64}), mixed = half;
  hugging_face.copy_to("model.layers.0.self_attn." + name + ".weight", view(half));
  meta.copy_to("layers.0.attention." + meta_name + ".weight", view(mixed));
  CHECK(difference(permuted(half, 8, half_split), mixed, 0) == "");
  CHECK(difference(permuted(mixed, 8, interleaved), half, 0) == "");
}
