// Decoding with keys and values in fewer bits: how far the logits move, threads and chunks, memory.
#include <algorithm>
#include <cmath>

#include "chapters/09-sampling/decoder.hpp"
#include "tests/allocations.hpp"
#include "tests/chapters/llama_problem.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

/// Heads of a width that all types take.
LlamaConfig wide_heads() {
  LlamaConfig c;
  c.vocabulary_size = 100, c.dim = 64, c.hidden_dim = 70, c.layers = 3, c.heads = 6, c.kv_heads = 3, c.head_dim = 32;
  return c;
}

/// A model whose logits are of the size of a trained one's.
LlamaParameters some_model() {
  LlamaParameters weights(wide_heads());
  Random random(8);
  for (real& value : weights.flat()) value = real(0.125 * random.normal());
  return weights;
}

std::vector<std::int32_t> some_tokens(size_t count) {
  std::vector<std::int32_t> tokens(count);
  for (size_t t = 0; t < count; ++t) tokens[t] = static_cast<std::int32_t>(7 * t % 100);
  return tokens;
}

/// The logits after a prompt that is fed in pieces, and after each of the tokens behind it.
std::vector<std::vector<real>> decode(Decoder& decoder, size_t prompt, size_t piece, size_t tokens) {
  const std::vector<std::int32_t> all = some_tokens(tokens);
  std::vector<std::vector<real>> logits;
  for (size_t begin = 0; begin < tokens;) {
    const size_t count = begin < prompt ? std::min(piece, prompt - begin) : 1;
    const auto row = decoder.feed({&all[begin], count});
    if (begin + count >= prompt) logits.emplace_back(row.begin(), row.end());
    begin += count;
  }
  return logits;
}

}  // namespace

TEST_CASE("with keys and values in fewer bits the logits move as far as the rounding explains") {
  const LlamaParameters weights = some_model();
  Decoder plain(weights, 200);
  const auto expected = decode(plain, 150, 150, 190);
  for (const CacheType type : {CacheType::f16, CacheType::q8_0}) {
    Decoder decoder(weights, 200, default_chunk, 1, type);
    const auto logits = decode(decoder, 150, 150, 190);
    double squares = 0, all = 0;
    for (size_t t = 0; t < logits.size(); ++t)
      for (size_t i = 0; i < logits[t].size(); ++i)
        squares += std::pow(double(logits[t][i]) - expected[t][i], 2), all += std::pow(double(expected[t][i]), 2);
    const double error = std::sqrt(squares / all);
    INFO(name_of(type) << ": relative error " << error);
    // A number is off by 2^-12 of itself on average in f16, and by 0.29 of a step of 127 in the largest of 32 in q8_0:
    // 2e-4 and 4e-3 of the numbers' deviation. Three layers add theirs to a stream of which attention is a part.
    // Measured: 1.6e-4 and 3.1e-3.
    CHECK(error < (type == CacheType::f16 ? 3e-4 : 6e-3));
    CHECK(error > (type == CacheType::f16 ? 1e-6 : 1e-5));
  }
}

TEST_CASE("with any type of cache a team of any size gives the same bits, in a wrapped window too") {
  const LlamaParameters weights = some_model();
  for (const CacheType type : {CacheType::f32, CacheType::f16, CacheType::q8_0}) {
    INFO(name_of(type));
    const auto logits = [&](size_t threads) {
      Decoder decoder(weights, 180, 64, threads, type);
      return decode(decoder, 150, 150, 200);
    };
    const auto alone = logits(1);
    for (const size_t threads : {2, 3, 4}) CHECK(logits(threads) == alone);
  }
}

TEST_CASE("with any type of cache a prompt in chunks of whole tiles gives the same bits") {
  const LlamaParameters weights = some_model();
  for (const CacheType type : {CacheType::f32, CacheType::f16, CacheType::q8_0}) {
    INFO(name_of(type));
    const auto logits = [&](size_t piece) {
      Decoder decoder(weights, 200, 200, 1, type);
      return decode(decoder, 192, piece, 200);
    };
    const auto whole = logits(192);
    for (const size_t piece : {32, 64, 96}) CHECK(logits(piece) == whole);
  }
}

TEST_CASE("decoding with a smaller cache allocates nothing, and no more than is known before") {
  const LlamaParameters weights = some_model();
  const CacheType type = GENERATE(CacheType::f16, CacheType::q8_0);
  const size_t threads = GENERATE(1, 2);
  Decoder decoder(weights, 140, 16, threads, type);
  CHECK(decoder.bytes_of_pass() == Decoder::bytes_of_pass(weights.config(), 140, 16, threads, type));
  const std::vector<std::int32_t> tokens = some_tokens(16);
  decoder.feed(tokens);
  decoder.feed({tokens.data(), 1});
  const size_t before = allocations();
  for (int i = 0; i < 130; ++i) decoder.feed({&tokens[3], 1});  // wraps on the way
  CHECK(allocations() == before);
}

TEST_CASE("a loss through a smaller cache is that of attention over what it gives back") {
  const LlamaParameters weights = some_model();
  const std::vector<std::int32_t> tokens = some_tokens(60);
  std::vector<std::int32_t> targets(tokens.begin() + 1, tokens.end());
  targets.push_back(-1);
  const Batch batch{{tokens.data(), {1, 60}}, {targets.data(), {1, 60}}};
  LossEvaluator plain(weights.config(), 1, 60, false);
  const double expected = plain.forward(weights, batch);
  for (const CacheType type : {CacheType::f16, CacheType::q8_0}) {
    LossEvaluator evaluator(weights.config(), 1, 60, false, type);
    const double loss = evaluator.forward(weights, batch);
    CHECK(loss != expected);
    CHECK(std::abs(loss - expected) < 1e-3 * expected);
    CHECK(evaluator.forward(weights, batch) == loss);  // nothing is left of the batch before
    // The last row is what a decoder of that cache says.
    Decoder decoder(weights, 60, 60, 1, type);
    const auto row = decoder.feed(tokens);
    CHECK(difference(row, evaluator.logits()[59].span(), same_tolerance * 10) == "");
  }
  CHECK_THROWS_AS(LossEvaluator(weights.config(), 1, 60, true, CacheType::f16), ContractError);
}
