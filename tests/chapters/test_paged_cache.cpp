// The paged cache: the same numbers as a cache in one piece, in blocks that texts share.
#include "chapters/06-kv-cache/kv_cache.hpp"
#include "chapters/22-serving/paged_cache.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

/// A key and value of one head of width 1, in each of two layers, that depend on the token and its position.
void put(PagedCache& cache, size_t sequence, std::span<const TokenId> tokens) {
  const size_t T = tokens.size() - cache.length(sequence);
  REQUIRE(cache.reserve(sequence, T));
  for (size_t layer = 0; layer < 2; ++layer)
    for (size_t t = 0; t < T; ++t) {
      const size_t position = cache.length(sequence) + t;
      const real number = real(tokens[position]) + real(100 * position + 10000 * layer), value = -number;
      // One position at a time would do as well: append takes those that follow the length.
      if (T == 1) cache.append(layer, {&number, {1, 1, 1}}, {&value, {1, 1, 1}}, sequence, 0);
    }
  if (T > 1)
    for (size_t layer = 0; layer < 2; ++layer) {
      std::vector<real> k, v;
      for (size_t position = cache.length(sequence); position < tokens.size(); ++position)
        k.push_back(real(tokens[position]) + real(100 * position + 10000 * layer)), v.push_back(-k.back());
      cache.append(layer, {k.data(), {T, 1, 1}}, {v.data(), {T, 1, 1}}, sequence, 0);
    }
  cache.advance(T, sequence);
  cache.publish(sequence, tokens);
}

/// Whether the sequence holds just these tokens, in both layers.
bool holds(const PagedCache& cache, size_t sequence, std::span<const TokenId> tokens) {
  if (cache.length(sequence) != tokens.size()) return false;
  for (size_t layer = 0; layer < 2; ++layer) {
    std::vector<real> k(tokens.size()), v(tokens.size());
    cache.keys(layer, sequence, 0).widen({k.data(), {k.size(), 1, 1}});
    cache.values(layer, sequence, 0).widen({v.data(), {v.size(), 1, 1}});
    for (size_t t = 0; t < tokens.size(); ++t) {
      const real number = real(tokens[t]) + real(100 * t + 10000 * layer);
      if (k[t] != number || v[t] != -number) return false;
    }
  }
  return true;
}

PagedCacheSize small(size_t blocks, size_t sequences = 3) {
  return {.layers = 2, .kv_heads = 1, .head_dim = 1, .blocks = blocks, .block_size = 4, .sequences = sequences};
}

std::vector<TokenId> counted(size_t count, TokenId first = 1) {
  std::vector<TokenId> tokens(count);
  for (size_t t = 0; t < count; ++t) tokens[t] = first + TokenId(t);
  return tokens;
}

}  // namespace

TEST_CASE("paged cache: the example of the lesson, worked by hand") {
  // Five blocks of four positions. Anna's prompt has ten tokens, Ben's the same ten; Carl's the first six and others.
  PagedCache cache(small(5));
  const std::vector<TokenId> anna = counted(10);
  CHECK(cache.begin(0, anna) == 0);
  CHECK(cache.blocks_for(0, 10) == 3);
  put(cache, 0, anna);
  CHECK(std::vector(cache.table(0).begin(), cache.table(0).end()) == std::vector<BlockId>{0, 1, 2});

  CHECK(cache.begin(1, anna) == 8);  // two whole blocks; the third is not full, and has no name
  CHECK(cache.blocks_for(1, 2) == 1);
  put(cache, 1, anna);
  CHECK(std::vector(cache.table(1).begin(), cache.table(1).end()) == std::vector<BlockId>{0, 1, 3});
  CHECK((cache.pool().used() == 4 && cache.pool().shared() == 2));

  std::vector<TokenId> carl = counted(6);
  carl.push_back(99);
  CHECK(cache.begin(2, carl) == 4);  // one block
  CHECK(cache.blocks_for(2, 3) == 1);
  put(cache, 2, carl);
  CHECK(std::vector(cache.table(2).begin(), cache.table(2).end()) == std::vector<BlockId>{0, 4});
  CHECK(cache.pool().unused() == 0);

  // Nobody gets another block until somebody goes.
  CHECK(cache.reserve(0, 2));
  CHECK(!cache.reserve(0, 3));
  cache.release(1);
  CHECK(cache.reserve(0, 3));
  CHECK(holds(cache, 0, anna));
  CHECK(holds(cache, 2, carl));
}

TEST_CASE("paged cache: a prompt that is there as a whole computes its last token, in a copy of the block") {
  PagedCache cache(small(6));
  const std::vector<TokenId> tokens = counted(8);
  cache.begin(0, tokens);
  put(cache, 0, tokens);
  CHECK(cache.begin(1, tokens) == 7);
  CHECK(cache.must_copy(1));
  CHECK(cache.blocks_for(1, 1) == 1);
  put(cache, 1, tokens);
  CHECK(cache.table(1)[0] == cache.table(0)[0]);
  CHECK(cache.table(1)[1] != cache.table(0)[1]);
  std::vector<TokenId> longer = tokens;
  longer.push_back(50);
  put(cache, 1, longer);
  CHECK(holds(cache, 0, tokens));
  CHECK(holds(cache, 1, longer));
  // Alone it writes where it is.
  cache.release(0), cache.release(1);
  CHECK(cache.begin(2, tokens) == 7);
  CHECK(!cache.must_copy(2));
  CHECK(cache.blocks_for(2, 1) == 0);
  put(cache, 2, tokens);
  CHECK(holds(cache, 2, tokens));
}

TEST_CASE("paged cache: what is taken back and written anew is not found as what it was") {
  PagedCache cache(small(8));
  const std::vector<TokenId> tokens = counted(8), other = counted(8, 31);
  cache.begin(0, tokens);
  put(cache, 0, tokens);
  cache.truncate(0, 6);
  std::vector<TokenId> changed = tokens;
  changed[6] = changed[7] = 77;
  put(cache, 0, changed);
  CHECK(holds(cache, 0, changed));
  CHECK(cache.begin(1, tokens) == 4);
  CHECK(cache.begin(2, changed) == 7);
  CHECK_THROWS_AS(cache.truncate(0, 9), ContractError);
  CHECK_THROWS_AS(cache.begin(0, other), ContractError);
  CHECK_THROWS_AS(cache.begin(3, other), ContractError);
  CHECK_THROWS_AS(cache.advance(1, 0), ContractError);
}

TEST_CASE("paged cache: of unused blocks a text's end goes before its beginning") {
  PagedCache cache(small(4));
  const std::vector<TokenId> tokens = counted(16), other = counted(5, 50);
  cache.begin(0, tokens);
  put(cache, 0, tokens);
  cache.release(0);
  cache.begin(1, other);
  put(cache, 1, other);
  CHECK(cache.begin(0, tokens) == 8);  // two blocks were taken, the last two
}

TEST_CASE("paged cache: random texts hold what is theirs, and all blocks come back") {
  Random random(11);
  PagedCache cache(small(14, 5));
  std::vector<std::vector<TokenId>> texts(5);
  size_t found = 0, refused = 0;
  for (int i = 0; i < 3000; ++i) {
    const size_t s = random.below(5);
    std::vector<TokenId>& text = texts[s];
    if (text.empty()) {
      for (size_t t = 1 + random.below(14); t > 0; --t) text.push_back(random.below(20) == 0 ? 2 : 1);
      found += cache.begin(s, text);
    } else if (random.below(8) == 0) {
      cache.release(s), text.clear();
    } else if (random.below(8) == 0 && cache.length(s) > 1) {
      text.resize(1 + random.below(std::uint32_t(cache.length(s))));
      cache.truncate(s, text.size() - 1);
    } else {
      text.push_back(random.below(20) == 0 ? 2 : 1);
    }
    if (!text.empty()) {
      const size_t T = text.size() - cache.length(s);
      if (cache.blocks_for(s, T) <= cache.pool().unused()) {
        put(cache, s, text);
      } else {
        CHECK(!cache.reserve(s, T));
        ++refused;
        cache.release(s), text.clear();
      }
    }
    for (size_t other = 0; other < 5; ++other)
      if (!texts[other].empty()) REQUIRE(holds(cache, other, texts[other]));
  }
  CHECK((found > 100 && refused > 20));
  for (size_t s = 0; s < 5; ++s) cache.release(s);
  CHECK(cache.pool().used() == 0);
}

TEST_CASE("paged cache: it takes what a cache in one piece takes, in any type") {
  PagedCacheSize size{.layers = 3, .kv_heads = 2, .head_dim = 32, .blocks = 7, .block_size = 16, .sequences = 4};
  for (const CacheType type : {CacheType::f32, CacheType::f16, CacheType::q8_0}) {
    size.type = type;
    CHECK(PagedCache::bytes(size) == KvCache::bytes(3, 7 * 16, 2, 32, 1, type));
  }
  size.blocks = 0;
  CHECK_THROWS_AS(PagedCache(size), ContractError);
}
