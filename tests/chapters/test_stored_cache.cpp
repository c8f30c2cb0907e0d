// Caches of numbers smaller than `real`: what they give back, attention over them, and what that costs in accuracy.
#include <algorithm>
#include <cmath>

#include "lib/tensor/tensor.hpp"
#include "tests/chapters/cached_text.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

constexpr CacheType narrow_types[] = {CacheType::f16, CacheType::q8_0};

// Relative to the largest entry, in units of `real`'s rounding. Measured on all targets: 8.6. Parts are joined by their
// log_sum_exp, which is rounded at its own size of up to 8, so their shares are off by that much.
constexpr double single_tolerance = 12 * epsilon;

Array<real, 3> widened(const StoredHeads& heads) {
  Array<real, 3> wide = unwritten<3>(heads.shape());
  heads.widen(view(wide));
  return wide;
}

/// What becomes of numbers in a cache of that type.
Array<real, 3> rounded(CacheType type, const Array<real, 3>& numbers) {
  std::vector<std::uint8_t> bytes(stored_bytes(type, numbers.size()));
  store_numbers(type, {numbers.data(), numbers.size()}, bytes.data());
  const size_t S = numbers.shape(0), G = numbers.shape(1), Dh = numbers.shape(2);
  return widened({type, {bytes.data(), {S, bytes.size() / S}}, G, Dh});
}

double largest_size(View<const real, 1> x) {
  double most = 0;
  for (size_t i = 0; i < x.size(); ++i) most = std::max(most, std::abs(double(x(i))));
  return most;
}

/// The most by which each number may be off. In f16 half a unit in the last of 11 digits; in q8_0 half a step between
/// codes, and of up to 127 steps what rounding the step itself to f16 makes.
Array<double, 3> roundings(CacheType type, const Array<real, 3>& numbers) {
  constexpr double half_unit = 1.0 / 2048, smallest = 0x1p-25;
  Array<double, 3> most(numbers.shape());
  for (size_t first = 0; first < numbers.size(); first += 32) {
    const View<const real, 1> block(numbers.data() + first, {32});
    const double step = largest_size(block) / 127;
    for (size_t i = 0; i < 32; ++i)
      most.data()[first + i] = type == CacheType::f16 ? std::abs(double(block(i))) * half_unit + smallest
                                                      : step * (0.5 + 127 * half_unit + 1e-4) +
                                                            127 * smallest;  // 1e-4: codes are found in floats
  }
  return most;
}

}  // namespace

TEST_CASE("a smaller cache gives back each number but for half a step") {
  for (const CacheType type : narrow_types)
    for (const double size : {1e-3, 1.0, 100.0}) {
      const Array<real, 3> numbers = random_array<3>({40, 3, 64}, 7, size), again = rounded(type, numbers);
      const Array<double, 3> most = roundings(type, numbers);
      double worst = 0;
      for (size_t i = 0; i < numbers.size(); ++i)
        worst = std::max(worst, std::abs(double(again.data()[i]) - numbers.data()[i]) / most.data()[i]);
      INFO(name_of(type) << ", size " << size << ": " << worst << " of what is allowed");
      CHECK(worst <= 1);
      CHECK(worst > 0.5);
    }
}

TEST_CASE("a smaller cache keeps positions, layers, sequences and heads as the plain one does") {
  constexpr size_t layers = 2, capacity = 8, G = 3, Dh = 32, sequences = 2;
  for (const CacheType type : narrow_types) {
    INFO(name_of(type));
    KvCache plain(layers, capacity, G, Dh, sequences), small(layers, capacity, G, Dh, sequences, type);
    std::uint64_t seed = 0;
    const auto append = [&](size_t T, size_t sequence, std::initializer_list<Range> parts) {
      for (size_t layer = 0; layer < layers; ++layer) {
        const Array<real, 3> k = random_array<3>({T, G, Dh}, ++seed), v = random_array<3>({T, G, Dh}, ++seed);
        plain.append(layer, view(k), view(v), sequence);
        for (const Range heads : parts)  // as threads would
          small.append(layer, view(k).columns(heads), view(v).columns(heads), sequence, heads.begin);
      }
      plain.advance(T, sequence), small.advance(T, sequence);
    };
    const auto check = [&] {
      for (size_t layer = 0; layer < layers; ++layer)
        for (size_t sequence = 0; sequence < sequences; ++sequence) {
          REQUIRE(small.length(sequence) == plain.length(sequence));
          const auto same = [&](const StoredHeads& stored, const StoredHeads& expected) {
            REQUIRE(stored.shape() == expected.shape());
            if (stored.shape(0) > 0) CHECK(difference(widened(stored), rounded(type, widened(expected)), 0) == "");
          };
          same(small.keys(layer, sequence), plain.keys(layer, sequence));
          same(small.values(layer, sequence), plain.values(layer, sequence));
        }
    };
    append(5, 0, {{0, 3}});
    append(2, 1, {{2, 3}, {0, 2}});
    check();
    plain.truncate(3), small.truncate(3);
    append(2, 0, {{0, 1}, {1, 3}});
    check();
    for (int i = 0; i < 7; ++i) append(1, 0, {{0, 3}});  // wraps
    check();
    // Some heads of some positions, which have gaps between them.
    const Range rows = {1, 6}, heads = {1, 3};
    const StoredHeads part = small.keys(1).rows(rows).columns(heads),
                      expected = plain.keys(1).rows(rows).columns(heads);
    CHECK(difference(widened(part), rounded(type, widened(expected)), 0) == "");
    plain.reset(), small.reset();
    check();
  }
}

TEST_CASE("attention over a smaller cache is attention over the numbers that it stands for") {
  const auto [T, S] = GENERATE(table<size_t, size_t>(
      {{1, 1}, {1, 5}, {1, 127}, {1, 128}, {1, 129}, {1, 300}, {2, 2}, {7, 300}, {40, 140}, {300, 300}}));
  const size_t G = GENERATE(1, 2, 4), H = 4, Dh = 32;
  const bool masked = GENERATE(false, true);
  for (const CacheType type : narrow_types) {
    INFO(name_of(type) << ", T " << T << ", S " << S << ", G " << G << (masked ? ", masked" : ""));
    const Text text(S, H, G, Dh, 3);
    KvCache cache(1, S, G, Dh, 1, type);
    cache.append(0, view(text.k), view(text.v));
    cache.advance(S);
    const Array<real, 3> k = rounded(type, text.k), v = rounded(type, text.v);
    std::vector<std::int32_t> first_key;
    for (size_t t = 0; masked && t < T; ++t) first_key.push_back(static_cast<std::int32_t>((S - T + t) / 2));
    const auto attend = [&, T = T, S = S](const StoredHeads& keys, const StoredHeads& values) {
      std::pair<Array<real, 3>, Array<real, 2>> result{unwritten<3>({T, H, Dh}), unwritten<2>({T, H})};
      std::vector<real> scratch(stored_attention_scratch_size(keys.type(), S, H, Dh));
      attention_forward(view(text.q).rows(S - T, S), keys, values, first_key, view(result.first), view(result.second),
                        scratch);
      return result;
    };
    const auto [out, log_sum_exp] = attend(cache.keys(0), cache.values(0));
    const auto [expected, expected_log] = attend(StoredHeads(view<real, 3>(k)), StoredHeads(view<real, 3>(v)));
    if (T > 1) {
      CHECK(difference(out, expected, 0) == "");
      CHECK(difference(log_sum_exp, expected_log, 0) == "");
    } else {  // sums of parts
      CHECK(relative_error(out, expected) < single_tolerance);
      CHECK(relative_error(log_sum_exp, expected_log) < single_tolerance);
    }
  }
}

TEST_CASE("what a smaller cache changes is what the rounding of keys and values explains") {
  constexpr size_t S = 200, H = 4, G = 2, Dh = 64;
  const Text text(S, H, G, Dh, 5);
  for (const CacheType type : narrow_types) {
    KvCache cache(1, S, G, Dh, 1, type);
    cache.append(0, view(text.k), view(text.v));
    cache.advance(S);
    Array<real, 3> out = unwritten<3>({S, H, Dh});
    Text::attend(view(text.q), cache.keys(0), cache.values(0), {}, view(out));
    // A score is off by at most δ = max_s Σ_i |q_i| rounding(k_i) / √Dh, so a weight by a factor of exp(±2δ), and the
    // mean by (exp(2δ) - 1) max |v| beside what the values themselves are off.
    const Array<double, 3> of_k = roundings(type, text.k), of_v = roundings(type, text.v);
    double worst = 0, squares = 0, all = 0;
    for (size_t h = 0; h < H; ++h) {
      const size_t g = h / (H / G);
      double of_values = 0, largest_value = 0;
      for (size_t s = 0; s < S; ++s) {  // the query at s sees the keys up to there
        for (size_t i = 0; i < Dh; ++i) of_values = std::max(of_values, of_v(s, g, i));
        largest_value = std::max(largest_value, largest_size(view(text.v)[s][g]));
        double of_scores = 0;
        for (size_t key = 0; key <= s; ++key) {
          double sum = 0;
          for (size_t i = 0; i < Dh; ++i) sum += std::abs(double(text.q(s, h, i))) * of_k(key, g, i);
          of_scores = std::max(of_scores, sum / std::sqrt(double(Dh)));
        }
        const double bound = (std::exp(2 * of_scores) - 1) * (largest_value + of_values) + of_values;
        for (size_t i = 0; i < Dh; ++i) {
          const double error = std::abs(double(out(s, h, i)) - text.out(s, h, i));
          worst = std::max(worst, error / bound);
          squares += error * error, all += double(text.out(s, h, i)) * text.out(s, h, i);
        }
      }
    }
    const double relative = std::sqrt(squares / all);
    INFO(name_of(type) << ": " << worst << " of the bound, relative error " << relative);
    CHECK(worst <= 1);
    // Errors mostly cancel in sums. Measured: 2.8e-4 in f16, 7.0e-3 in q8_0.
    CHECK(relative < (type == CacheType::f16 ? 4e-4 : 9e-3));
    CHECK(relative > (type == CacheType::f16 ? 1e-4 : 3e-3));
  }
}

TEST_CASE("a number that is too large for a smaller cache does not pass for another") {
  for (const CacheType type : narrow_types) {
    Array<real, 3> numbers = random_array<3>({1, 1, 32}, 1);
    numbers(0, 0, 3) = real(1e7);
    const Array<real, 3> again = rounded(type, numbers);
    CHECK(!std::isfinite(again(0, 0, 3)));
  }
}

TEST_CASE("a smaller cache takes half and about a quarter, and refuses wrong use") {
  const size_t plain = KvCache::bytes(5, 17, 4, 64, 2);
  CHECK(KvCache::bytes(5, 17, 4, 64, 2, CacheType::f16) * sizeof(real) == plain * 2);
  CHECK(KvCache::bytes(5, 17, 4, 64, 2, CacheType::q8_0) * 32 * sizeof(real) == plain * 34);
  for (const CacheType type : narrow_types) {
    KvCache cache(5, 17, 4, 64, 2, type);
    CHECK(cache.allocated_bytes() == KvCache::bytes(5, 17, 4, 64, 2, type));
    CHECK_THROWS_WITH(cache.keys(0).numbers(), contains("have to be widened"));
    Array<real, 3> wide = unwritten<3>({2, 4, 64});
    CHECK_THROWS_AS(cache.keys(0, 0, 3).widen(view(wide)), ContractError);
    const Text text(3, 4, 4, 64, 1);
    cache.append(0, view(text.k), view(text.v));
    Array<real, 3> out = unwritten<3>({3, 4, 64});
    Array<real, 2> log_sum_exp = unwritten<2>({3, 4});
    std::vector<real> scratch(stored_attention_scratch_size(type, 3, 4, 64) - 1);
    CHECK_THROWS_WITH(attention_forward(view(text.q), cache.keys(0, 0, 3), cache.values(0, 0, 3), {}, view(out),
                                        view(log_sum_exp), scratch),
                      contains("scratch memory is too small"));
  }
  CHECK_THROWS_WITH(KvCache(1, 4, 2, 48, 1, CacheType::q8_0), contains("no multiple of the type's block"));
  CHECK_NOTHROW(KvCache(1, 4, 2, 48, 1, CacheType::f16));
}
