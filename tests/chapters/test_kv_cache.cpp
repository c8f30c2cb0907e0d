#include "tests/chapters/cached_text.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

// Relative to the largest entry, in units of `real`'s rounding. Measured over all tests here, targets and both builds:
// at most 1.2, since a tile of several queries and a single query may sum in another order.
constexpr double tolerance = 3 * epsilon;

}  // namespace

TEST_CASE("a cache: the example of the lesson, worked by hand") {
  KvCache cache(1, 2, 1, 1);  // one layer, two positions, one head of width 1
  const auto append = [&](real k, real v) {
    cache.append(0, View<const real, 3>(&k, {1, 1, 1}), View<const real, 3>(&v, {1, 1, 1}));
    cache.advance(1);
  };
  append(10, -10);
  append(11, -11);
  CHECK(cache.keys(0).numbers()(0, 0, 0) == 10);
  CHECK(cache.keys(0).numbers()(1, 0, 0) == 11);
  append(12, -12);  // position 2 goes to row 2 % 2 = 0
  CHECK(cache.length() == 3);
  CHECK(cache.keys(0).shape() == Shape<3>{2, 1, 1});
  CHECK(cache.keys(0).numbers()(0, 0, 0) == 12);
  CHECK(cache.keys(0).numbers()(1, 0, 0) == 11);
  CHECK(cache.values(0).numbers()(0, 0, 0) == -12);
  // A query of 0 looks at all keys alike: attention gives the mean of the values that are left.
  const real query = 0;
  real out = 0;
  Text::attend(View<const real, 3>(&query, {1, 1, 1}), cache.keys(0), cache.values(0), {}, {&out, {1, 1, 1}});
  CHECK(out == real(-11.5));
}

TEST_CASE("decoding through the cache equals attention over the whole text") {
  const size_t G = GENERATE(1, 2, 4);
  CAPTURE(G);
  Text text(70, 4, G, 8, 1);
  KvCache cache(1, 70, G, 8);
  Array<real, 3> decoded = zeros<real, 3>({70, 4, 8});
  // Single tokens, chunks, and a prompt longer than one of attention's tiles.
  const std::vector<size_t> ends = {1, 2, 9, 50, 51, 70};
  size_t begin = 0;
  for (size_t end : ends) {
    text.decode(cache, begin, end, view(decoded));
    cache.advance(end - begin);
    begin = end;
  }
  CHECK(cache.length() == 70);
  CHECK(relative_error(decoded, text.out) < tolerance);
}

TEST_CASE("a cache that wraps is a sliding window") {
  const size_t T = 23, window = 8;
  std::vector<std::int32_t> first_key;
  for (size_t t = 0; t < T; ++t) first_key.push_back(t < window ? 0 : static_cast<std::int32_t>(t - window + 1));
  Text text(T, 4, 2, 8, 1, first_key);
  KvCache cache(1, window, 2, 8);
  Array<real, 3> decoded = zeros<real, 3>({T, 4, 8});
  for (size_t t = 0; t < T; ++t) {
    text.decode(cache, t, t + 1, view(decoded));
    cache.advance(1);
    CHECK(cache.keys(0).shape(0) == std::min(t + 1, window));
  }
  CHECK(cache.length() == T);
  CHECK(relative_error(decoded, text.out) < tolerance);
}

TEST_CASE("layers and sequences of a cache do not touch each other") {
  const size_t layers = 3, sequences = 2, T = 6;
  KvCache cache(layers, T, 2, 5, sequences);
  std::vector<Text> texts;
  std::vector<Array<real, 3>> decoded(layers * sequences, zeros<real, 3>({T, 4, 5}));
  for (size_t i = 0; i < layers * sequences; ++i) texts.emplace_back(T, 4, 2, 5, 10 * i);
  // Sequence 1 lags one position behind sequence 0.
  for (size_t step = 0; step <= T; ++step)
    for (size_t sequence = 0; sequence < sequences; ++sequence) {
      if (step < sequence || step - sequence >= T) continue;
      const size_t t = step - sequence;
      for (size_t layer = 0; layer < layers; ++layer) {
        const size_t i = sequence * layers + layer;
        texts[i].decode(cache, t, t + 1, view(decoded[i]), layer, sequence);
      }
      cache.advance(1, sequence);
    }
  for (size_t i = 0; i < texts.size(); ++i) CHECK(relative_error(decoded[i], texts[i].out) < tolerance);
}

TEST_CASE("a truncated cache goes on from there as if the rest had never been") {
  Text text(12, 4, 2, 8, 1), other(12, 4, 2, 8, 5);
  KvCache cache(1, 12, 2, 8);
  Array<real, 3> decoded = zeros<real, 3>({12, 4, 8});
  text.decode(cache, 0, 5, view(decoded));
  cache.advance(5);
  other.decode(cache, 5, 9, view(decoded));  // another continuation, dropped again
  cache.advance(4);
  other.decode(cache, 9, 10, view(decoded));  // and a pass that was never ended
  cache.truncate(5);
  CHECK(cache.length() == 5);
  CHECK(cache.keys(0).shape(0) == 5);
  text.decode(cache, 5, 12, view(decoded));
  cache.advance(7);
  CHECK(relative_error(decoded, text.out) < tolerance);
  cache.reset();
  CHECK(cache.length() == 0);
  CHECK(cache.keys(0).shape(0) == 0);
}

TEST_CASE("a sequence that is copied goes on as the one that it is from") {
  const size_t T = 11, capacity = GENERATE(11, 6);  // the second wraps before it is copied
  Text text(T, 4, 2, 8, 1);
  KvCache cache(2, capacity, 2, 8), copies(2, capacity, 2, 8, 3);
  Array<real, 3> decoded = zeros<real, 3>({T, 4, 8}), of_copy = decoded;
  const auto decode = [&](KvCache& to, size_t t, Array<real, 3>& out, size_t sequence) {
    for (size_t layer = 0; layer < 2; ++layer) text.decode(to, t, t + 1, view(out), layer, sequence);
    to.advance(1, sequence);
  };
  for (size_t t = 0; t < 8; ++t) decode(cache, t, decoded, 0);
  copies.copy(cache, 0, 1);
  copies.copy(copies, 1, 2);
  copies.copy(copies, 2, 2);
  CHECK(copies.length(0) == 0);
  CHECK(copies.length(2) == 8);
  for (size_t t = 8; t < T; ++t) decode(cache, t, decoded, 0), decode(copies, t, of_copy, 2);
  CHECK(copies.length(1) == 8);
  for (size_t t = 8; t < T; ++t) CHECK(difference(view(of_copy)[t], view(decoded)[t], 0) == "");
  CHECK_THROWS_AS(copies.copy(KvCache(2, capacity + 1, 2, 8), 0, 0), ContractError);
  CHECK_THROWS_AS(copies.copy(cache, 1, 0), ContractError);
  CHECK_THROWS_AS(copies.copy(cache, 0, 3), ContractError);
}

TEST_CASE("a cache's rows may come from a wider matrix") {
  const Array<real, 2> wide = random_array<2>({3, 20}, 1);
  KvCache cache(1, 4, 2, 3);
  cache.append(0, View<const real, 3>(wide.data() + 2, {3, 2, 3}, {20, 3, 1}),
               View<const real, 3>(wide.data() + 9, {3, 2, 3}, {20, 3, 1}));
  CHECK(cache.keys(0, 0, 3).numbers()(2, 1, 2) == wide(2, 2 + 5));
  CHECK(cache.values(0, 0, 3).numbers()(1, 0, 1) == wide(1, 9 + 1));
}

TEST_CASE("heads may be appended apart, each in its place") {
  const Array<real, 3> k = random_array<3>({3, 4, 2}, 1), v = random_array<3>({3, 4, 2}, 2);
  KvCache whole(1, 5, 4, 2), parts(1, 5, 4, 2);
  whole.append(0, view(k), view(v));
  for (const Range heads : {Range{3, 4}, Range{0, 1}, Range{1, 3}})
    parts.append(0, view(k).columns(heads), view(v).columns(heads), 0, heads.begin);
  whole.advance(3), parts.advance(3);
  CHECK(difference(parts.keys(0).numbers().span(), whole.keys(0).numbers().span(), 0) == "");
  CHECK(difference(parts.values(0).numbers().span(), whole.values(0).numbers().span(), 0) == "");
  CHECK_THROWS_WITH(parts.append(0, view(k).rows(0, 1), view(v).rows(0, 1), 0, 1), contains("not so many heads"));
}

TEST_CASE("a cache's size is the formula's, and what is allocated") {
  // Llama 3 8B with a context of 8192: 32 layers, 8 kv heads of 128.
  CHECK(KvCache::bytes(32, 8192, 8, 128) == size_t(2) * sizeof(real) * 128 * 8 * 32 * 8192);
  const KvCache cache(5, 17, 4, 3, 2);
  CHECK(cache.allocated_bytes() == KvCache::bytes(5, 17, 4, 3, 2));
  // What can be reached is all of it: keys and values of every layer and sequence, filled.
  CHECK(cache.allocated_bytes() == 2 * sizeof(real) * (17 * 4 * 3) * 5 * 2);
}

TEST_CASE("a cache refuses wrong use") {
  CHECK_THROWS_AS(KvCache(0, 4, 2, 3), ContractError);
  CHECK_THROWS_AS(KvCache(1, 0, 2, 3), ContractError);
  CHECK_THROWS_AS(KvCache(1, 4, 2, 3, 0), ContractError);
  KvCache cache(2, 4, 2, 3);
  Array<real, 3> three = random_array<3>({3, 2, 3}, 1), one = random_array<3>({1, 2, 3}, 1);
  Array<real, 3> narrow = random_array<3>({3, 2, 2}, 1);
  const auto append = [&](size_t layer, Array<real, 3>& k, Array<real, 3>& v, size_t sequence = 0) {
    cache.append(layer, view<real, 3>(k), view<real, 3>(v), sequence);
  };
  CHECK_THROWS_WITH(append(0, narrow, narrow), "KvCache::append: k has shape (3, 2, 2), expected (3, 2, 3)");
  CHECK_THROWS_WITH(append(0, three, one), "KvCache::append: v has shape (1, 2, 3), expected (3, 2, 3)");
  CHECK_THROWS_AS(append(2, three, three), ContractError);
  CHECK_THROWS_AS(append(0, three, three, 1), ContractError);
  CHECK_THROWS_AS(cache.keys(2), ContractError);
  CHECK_THROWS_AS(cache.values(0, 1), ContractError);
  CHECK_THROWS_AS(cache.length(1), ContractError);

  append(0, three, three), append(1, three, three);
  cache.advance(3);
  CHECK_THROWS_WITH(append(0, three, three), contains("beyond its capacity"));
  CHECK_THROWS_AS(cache.truncate(4), ContractError);
  for (int i = 0; i < 2; ++i) {
    append(0, one, one), append(1, one, one);
    cache.advance(1);
  }
  CHECK_THROWS_WITH(cache.truncate(2), contains("overwritten"));
  CHECK_NOTHROW(cache.reset());
}
