// Numbers to blocks: how far off they are, and what must come back as it was.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "chapters/10-training-step/cross_entropy.hpp"
#include "chapters/13-quantisation/divergence.hpp"
#include "chapters/13-quantisation/mixture.hpp"
#include "chapters/13-quantisation/quantise_rows.hpp"
#include "lib/formats/encode.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

constexpr ElementType all_types[] = {ElementType::q8_0, ElementType::q4_0,   ElementType::q4_1, ElementType::q5_0,
                                     ElementType::q5_1, ElementType::iq4_nl, ElementType::q2_k, ElementType::q3_k,
                                     ElementType::q4_k, ElementType::q5_k,   ElementType::q6_k, ElementType::iq4_xs};
constexpr size_t columns = 512;

std::string quantised(ElementType type, const std::vector<real>& values, std::span<const float> importance = {},
                      size_t threads = 1) {
  ThreadPool pool(threads);
  std::string bytes;
  quantise_rows(pool, type, columns, values, importance, bytes);
  return bytes;
}

std::vector<real> decoded(ElementType type, const std::string& bytes, size_t count) {
  std::vector<real> values(count);
  convert_elements(type, reinterpret_cast<const std::byte*>(bytes.data()), std::span(values));
  return values;
}

std::vector<real> there_and_back(ElementType type, const std::vector<real>& values,
                                 std::span<const float> importance = {}) {
  return decoded(type, quantised(type, values, importance), values.size());
}

double rms_difference(const std::vector<real>& a, const std::vector<real>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::pow(double(a[i]) - double(b[i]), 2);
  return std::sqrt(sum / double(a.size()));
}

/// What a type does without a search, worked out here: groups of numbers, evenly spread over all codes from the least
/// to the largest, or from the extreme at the end; scales not rounded, which favours it.
double plain_error(ElementType type, const std::vector<real>& values) {
  const auto [group, codes, has_minimum] = [&]() -> std::tuple<size_t, double, bool> {
    switch (type) {
      case ElementType::q8_0:
        return {32, 255, false};
      case ElementType::q4_0:
      case ElementType::iq4_nl:
      case ElementType::iq4_xs:
        return {32, 16, false};
      case ElementType::q5_0:
        return {32, 32, false};
      case ElementType::q4_1:
      case ElementType::q4_k:
        return {32, 16, true};
      case ElementType::q5_1:
      case ElementType::q5_k:
        return {32, 32, true};
      case ElementType::q2_k:
        return {16, 4, true};
      case ElementType::q3_k:
        return {16, 8, false};
      default:
        return {16, 64, false};
    }
  }();
  std::vector<real> back(values.size());
  for (size_t at = 0; at < values.size(); at += group) {
    const auto x = std::span(values).subspan(at, group);
    double low, step;
    if (has_minimum) {
      low = std::min<double>(*std::ranges::min_element(x), type >= ElementType::q2_k ? 0 : INFINITY);
      step = (std::max<double>(*std::ranges::max_element(x), low) - low) / (codes - 1);
    } else {
      const double extreme = *std::ranges::max_element(x, {}, [](real v) { return std::abs(v); });
      step = extreme / -std::floor(codes / 2);
      low = step * -std::floor(codes / 2);
    }
    for (size_t i = 0; i < group; ++i) {
      const double code = step == 0 ? 0 : std::clamp(std::round((double(x[i]) - low) / step), 0.0, codes - 1);
      back[at + i] = real(low + step * code);
    }
  }
  return rms_difference(values, back);
}

std::vector<real> normal_numbers(std::uint64_t seed, size_t rows = 16) {
  const auto array = random_array<1>({rows * columns}, seed, 0.05);
  return {array.begin(), array.end()};
}

/// As a Student's t with 4 degrees of freedom: now and then one that is many times as large as the others.
std::vector<real> heavy_tailed_numbers(std::uint64_t seed) {
  std::vector<real> values = normal_numbers(seed);
  Random random(seed + 1);
  for (real& value : values) {
    double squares = 0;
    for (int i = 0; i < 4; ++i) squares += std::pow(random.normal(), 2);
    value /= real(std::sqrt(squares / 4));
  }
  return values;
}

}  // namespace

TEST_CASE("a search finds scales that are better than the plain ones") {
  const auto type = GENERATE(from_range(std::begin(all_types), std::end(all_types)));
  const bool heavy = GENERATE(false, true);
  INFO(type_layout(type).name << (heavy ? ", heavy tails" : ", normal"));
  const std::vector<real> values = heavy ? heavy_tailed_numbers(1) : normal_numbers(1);
  const double error = rms_difference(values, there_and_back(type, values)), plain = plain_error(type, values);
  CHECK(error <= plain);
  CHECK(error >= plain / 2);  // nothing is that good: something else was measured
}

TEST_CASE("what is in a block is searched out again, bit by bit") {
  // Types with one scale for all that is in a block, and random codes of all that there are. With a minimum the extreme
  // codes must be there: where no number has code 0, another minimum says the same, and need not be a float16.
  const auto type = GENERATE(ElementType::q8_0, ElementType::q4_0, ElementType::q4_1, ElementType::q5_0,
                             ElementType::q5_1, ElementType::iq4_nl);
  INFO(type_layout(type).name);
  std::string bytes;
  Random random(5);
  const size_t block = type_layout(type).bytes, blocks = 8 * columns / 32;
  for (size_t i = 0; i < blocks * block; ++i) bytes.push_back(static_cast<char>(random.next() >> 24));
  for (size_t b = 0; b < blocks; ++b) {
    char* at = bytes.data() + b * block;
    const auto put_half = [&](size_t place, double value) {
      const std::uint16_t half = float_to_half(float(value));
      std::memcpy(at + place, &half, 2);
    };
    put_half(0, 0.01 * (1 + random.uniform()));
    if (type == ElementType::q8_0) at[2] = 127;
    if (type == ElementType::q8_0)
      for (size_t i = 3; i < 34; ++i) at[i] = std::max<signed char>(static_cast<signed char>(at[i]), -127);
    if (type == ElementType::q4_1 || type == ElementType::q5_1) {
      put_half(2, random.normal());
      at[block - 16] = '\xf0', at[block - 15] = '\x0f';
      if (type == ElementType::q5_1) std::memcpy(at + 4, "\x02\x00\x01\x00", 4);
    }
  }
  const std::vector<real> values = decoded(type, bytes, 8 * columns);
  CHECK(rms_difference(there_and_back(type, values), values) == 0);
  if (type == ElementType::q4_1 || type == ElementType::q5_1)  // the others may have the codes of -x and -scale
    CHECK((quantised(type, values) == bytes));
}

TEST_CASE("numbers that were rounded once are rounded to nearly the same again") {
  const auto type = GENERATE(from_range(std::begin(all_types), std::end(all_types)));
  INFO(type_layout(type).name);
  const std::vector<real> values = normal_numbers(2), once = there_and_back(type, values);
  const double first = rms_difference(once, values), second = rms_difference(there_and_back(type, once), once);
  // Of one scale a search finds the same; small scales of small scales, only another nearly as good.
  CHECK(second <= (type_layout(type).numbers == 32 ? 0.02 : 0.5) * first);
}

TEST_CASE("odd blocks come out as what they are") {
  const auto type = GENERATE(from_range(std::begin(all_types), std::end(all_types)));
  INFO(type_layout(type).name);
  for (const double value : {0.0, 0.37, -0.37, 1e-30, -1e-30, 1e-7, 60000.0, -60000.0}) {
    INFO(value);
    const std::vector<real> values(columns, real(value)), back = there_and_back(type, values);
    // Scale, small scale and minimum are rounded: each float16 by at most 2^-11 of itself, or by half the smallest one
    // times what it is multiplied with (63 and 15, or 32 and 4, at most 128 and 32).
    CHECK(difference(back, values, std::abs(value) * 3 * 0x1p-11 + std::min(std::abs(value), 0x1p-25 * 4096)) == "");
  }
  std::vector<real> one_of_them(columns, 0);
  one_of_them[77] = real(-0.5);
  const std::vector<real> back = there_and_back(type, one_of_them);
  const bool has_zero = type != ElementType::iq4_nl && type != ElementType::iq4_xs;  // else 1/127 is nearest to it
  CHECK(difference(back, one_of_them, 0.5 * (has_zero ? 3 * 0x1p-11 : 1.01 / 127)) == "");
}

TEST_CASE("large numbers are kept as far as float16 scales reach") {
  for (const ElementType type : {ElementType::q8_0, ElementType::q4_k, ElementType::q6_k}) {
    INFO(type_layout(type).name);
    std::vector<real> values = normal_numbers(3);
    for (real& value : values) value *= real(1e6 / 0.3);  // some beyond a million, times 16 the largest float16
    const double largest = std::abs(*std::ranges::max_element(values, {}, [](real v) { return std::abs(v); }));
    CHECK(largest > 5e5);
    CHECK(rms_difference(there_and_back(type, values), values) < 0.02 * largest);
  }
}

TEST_CASE("a scale that a search takes beyond float16 stays finite") {
  std::vector<real> values(columns);  // seven times 70000 fits into eight times 65504
  for (size_t i = 0; i < columns; ++i) values[i] = real(70000 * (int(i % 15) - 7));
  CHECK(difference(there_and_back(ElementType::q4_0, values), values, 65504 / 2) == "");
}

TEST_CASE("each number has the code that is nearest under the scale which the block holds") {
  const std::vector<real> values = normal_numbers(7);
  const std::string bytes = quantised(ElementType::q8_0, values);
  double furthest = 0;
  for (size_t b = 0; b < values.size() / 32; ++b) {
    BlockQ8_0 block;
    std::memcpy(&block, bytes.data() + b * sizeof block, sizeof block);
    for (size_t j = 0; j < 32; ++j) {
      const double value = double(values[32 * b + j]) / half_to_float(block.scale);
      furthest = std::max(furthest, std::abs(std::clamp(value, -127.0, 127.0) - block.codes[j]));
    }
  }
  CHECK(furthest <= 0.5 + 127 * std::numeric_limits<float>::epsilon());
}

TEST_CASE("an importance decides where the error goes") {
  const auto type = GENERATE(from_range(std::begin(all_types), std::end(all_types)));
  INFO(type_layout(type).name);
  const std::vector<real> values = normal_numbers(4);
  std::vector<float> importance(columns);
  for (size_t i = 0; i < columns; ++i) importance[i] = i % 8 ? 0.01f : 1.0f;
  const auto weighted = [&](const std::vector<real>& back) {
    double sum = 0;
    for (size_t i = 0; i < values.size(); ++i)
      sum += importance[i % columns] * std::pow(double(values[i]) - double(back[i]), 2);
    return sum;
  };
  CHECK(weighted(there_and_back(type, values, importance)) < 0.95 * weighted(there_and_back(type, values)));
  const std::vector<float> none(columns, 0);  // columns that no text has reached
  CHECK((quantised(type, values, none) == quantised(type, values)));
}

TEST_CASE("blocks have the same bits at any number of threads") {
  const auto type = GENERATE(from_range(std::begin(all_types), std::end(all_types)));
  const std::vector<real> values = normal_numbers(6);
  const std::string bytes = quantised(type, values, {}, 1);
  for (const size_t threads : {2, 3}) CHECK((quantised(type, values, {}, threads) == bytes));
}

TEST_CASE("what cannot be quantised is refused") {
  std::vector<real> values(columns, 1);
  CHECK_THROWS_AS(quantised(ElementType::f16, values), ContractError);
  CHECK_THROWS_AS(quantised(ElementType::q4_k, std::vector<real>(columns + 1)), ContractError);
  CHECK_THROWS_AS(quantised(ElementType::q4_k, values, std::vector<float>(3)), ContractError);
  for (const double value : {std::nan(""), double(INFINITY)}) {
    values[5] = real(value);
    CHECK_THROWS_WITH(quantised(ElementType::q4_k, values), contains("not finite"));
  }
}

TEST_CASE("the divergence of two distributions is that of their formula") {
  // p = (1/2, 1/4, 1/4) and q = (1/4, 1/4, 1/2): 1/2 log 2 + 0 - 1/4 log 2. Logits are off by any constant.
  const auto log_of = [](double p) { return real(std::log(p)); };
  const Array<real, 2> p{{log_of(0.5), log_of(0.25), log_of(0.25)}, {1, 2, 3}, {50, -50, 0}};
  const Array<real, 2> q{{log_of(0.25) + 7, log_of(0.25) + 7, log_of(0.5) + 7}, {3, 2, 1}, {50, -50, 0}};
  const auto of = [&](std::int32_t first, std::int32_t second, std::int32_t third) {
    const Array<std::int32_t, 1> targets{first, second, third};
    return divergence(view(p), view(q), view(targets));
  };
  CHECK(difference(of(0, no_target, no_target), std::log(2) / 4, 4 * epsilon) == "");  // of logits up to 7
  CHECK(of(no_target, 1, no_target) > 0.5);
  CHECK(of(no_target, no_target, 2) == 0);
  const Array<std::int32_t, 1> too_few{0};
  CHECK_THROWS_AS(divergence(view(p), view(q), view(too_few)), ContractError);
}

namespace {

LlamaConfig config_of(size_t layers, size_t dim, size_t hidden, bool tied) {
  LlamaConfig c;
  c.vocabulary_size = 8, c.dim = dim, c.hidden_dim = hidden, c.layers = layers, c.heads = 4, c.kv_heads = 2;
  c.head_dim = dim / 4, c.context = 8, c.tied_embeddings = tied;
  return c;
}

std::string_view type_in(const StoredTypes& types, const std::string& name) {
  return type_layout(types.at(name + ".weight")).name;
}

}  // namespace

TEST_CASE("mixtures give more bits where llama.cpp does") {
  const LlamaParameters weights(config_of(16, 256, 512, false));
  const StoredTypes medium = mixed_types(weights, *find_mixture("q4_k_m"));
  std::string values, down;
  for (int i = 0; i < 16; ++i) {
    const std::string layer = "model.layers." + std::to_string(i);
    values += type_in(medium, layer + ".self_attn.v_proj")[1];
    down += type_in(medium, layer + ".mlp.down_proj")[1];
    CHECK(type_in(medium, layer + ".self_attn.q_proj") == "Q4_K");
    CHECK(type_in(medium, layer + ".mlp.gate_proj") == "Q4_K");
    CHECK(type_in(medium, layer + ".input_layernorm") == "F32");
  }
  CHECK(values == "6644644644644666");  // layers 0, 1; 4, 7, 10, 13; 14, 15
  CHECK(down == values);
  CHECK(type_in(medium, "lm_head") == "Q6_K");
  CHECK(type_in(medium, "model.embed_tokens") == "Q4_K");
  const StoredTypes small = mixed_types(weights, *find_mixture("Q4_K_S"));
  CHECK(type_in(small, "model.layers.3.self_attn.v_proj") == "Q5_K");
  CHECK(type_in(small, "model.layers.4.self_attn.v_proj") == "Q4_K");
  CHECK(type_in(small, "model.layers.1.mlp.down_proj") == "Q5_K");
  CHECK(type_in(small, "model.layers.2.mlp.down_proj") == "Q4_K");
  CHECK(type_in(mixed_types(weights, *find_mixture("Q4_K")), "lm_head") == "Q4_K");
  CHECK(!find_mixture("Q4_K_X"));
}

TEST_CASE("the head of a tied model is its embedding") {
  const LlamaParameters weights(config_of(1, 256, 512, true));
  CHECK(type_in(mixed_types(weights, *find_mixture("Q4_K_M")), "model.embed_tokens") == "Q6_K");
}

TEST_CASE("rows that a block does not divide get another type") {
  const LlamaParameters weights(config_of(1, 96, 40, false));
  for (const auto& [name, expected] :
       {std::pair{"Q4_K", "Q5_0"}, std::pair{"Q5_K", "Q5_1"}, std::pair{"Q6_K", "Q8_0"}, std::pair{"Q2_K", "Q4_0"},
        std::pair{"Q3_K", "Q4_0"}, std::pair{"IQ4_XS", "IQ4_NL"}, std::pair{"Q4_1", "Q4_1"}}) {
    const StoredTypes types = mixed_types(weights, *find_mixture(name));
    CHECK(type_in(types, "model.layers.0.mlp.up_proj") == expected);
    CHECK(type_in(types, "model.layers.0.mlp.down_proj") == "F16");
  }
}
