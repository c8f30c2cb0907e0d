// What holds of RoPE whatever the numbers: lengths, distances, heads by themselves, and rows permuted from one pairing
// to the other.
#include "chapters/04-rope/rope.hpp"
#include "lib/formats/safetensors.hpp"
#include "tests/chapters/rope_problem.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

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
    CHECK(difference(product(y, y) / product(x, x), 1, tolerance) == "");
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
    CHECK(difference(score(12 + shift, 5 + shift), score(12, 5), (tolerance + angle_rounding) * lengths) == "");
  CHECK(difference(score(13, 5), score(12, 5), 0.01 * lengths) != "");
  CHECK(difference(score(5, 12), score(12, 5), 0.01 * lengths) != "");  // the sign of the distance matters too
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
      const Array<real, 3> alone = at_position(View<const real, 3>(&x(n, h, 0), {1, 1, D}), positions[n], pairing);
      CAPTURE(n, h);
      CHECK(relative_error(View<real, 3>(&wide(n, h * D), {1, 1, D}), alone) < tolerance);  // measured: 0
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
  CHECK(difference(score(mixed(query_weight), mixed(key_weight), interleaved), expected, tolerance * scale) == "");
  CHECK(difference(score(query_weight, key_weight, interleaved), expected, 0.01 * scale) != "");
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
