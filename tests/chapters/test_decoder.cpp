// Decoding through the cache: PyTorch's greedy tokens, the full forward pass's logits, threads, allocations.
#include "chapters/09-sampling/decoder.hpp"

#include "tests/allocations.hpp"
#include "tests/chapters/llama_problem.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

TEST_CASE("sixty-four greedy tokens through the cache are PyTorch's") {
  const GoldenModel model(GENERATE("untied", "tied"));
  CAPTURE(model.prefix);
  const Array<double, 1> expected = golden<1>(model.prefix + "greedy.npy");
  const size_t chunk = GENERATE(1, 2, 64);
  Decoder decoder(model.weights, 67, chunk);
  std::span<const real> logits = decoder.feed({model.tokens.data(), 3});
  for (const double token : expected) {
    const auto best = static_cast<std::int32_t>(std::ranges::max_element(logits) - logits.begin());
    REQUIRE(best == token);
    logits = decoder.feed({&best, 1});
  }
}

TEST_CASE("decoding through the cache gives the logits of the full forward pass") {
  const LlamaParameters weights = random_model(tied(), 1);
  const std::vector<std::int32_t> tokens = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3};
  const Array<real, 2> full = logits_of(weights, tokens);
  Decoder decoder(weights, tokens.size());
  for (size_t t = 0; t < tokens.size(); ++t) {
    const std::span<const real> logits = decoder.feed({&tokens[t], 1});
    CHECK(relative_error(View<const real, 1>(logits.data(), {logits.size()}), view(full)[t]) <
          same_tolerance);
  }
}

TEST_CASE("what a decoder allocates is known before") {
  const LlamaParameters weights = random_model(untied(), 1);
  for (const size_t chunk : {1, 4, 100}) {
    const Decoder decoder(weights, 11, chunk, 2);
    CHECK(decoder.bytes_of_pass() == Decoder::bytes_of_pass(weights.config(), 11, chunk, 2));
  }
}

TEST_CASE("two sequences at once through a cache give what each gives alone") {
  const LlamaParameters weights = random_model(untied(), 3);
  const LlamaConfig& config = weights.config();
  const std::vector<std::int32_t> tokens[] = {{3, 1, 4, 1, 5, 9}, {2, 7, 1, 8, 2, 8}};
  const size_t passes[] = {4, 1, 1};  // a prompt, then token by token
  KvCache cache(config.layers, 6, config.kv_heads, config.head_dim, 2);
  LlamaActivations activations(config, 2, 4, 6, Keep::one_layer);
  size_t begin = 0;
  for (const size_t T : passes) {
    Array<std::int32_t, 2> input = zeros<std::int32_t, 2>({2, T});
    for (size_t b = 0; b < 2; ++b) std::copy_n(&tokens[b][begin], T, &input(b, 0));
    llama_forward(weights, {view(input), {}}, activations, &cache);
    Array<real, 2> logits = zeros<real, 2>({2 * T, config.vocabulary_size});
    llama_logits(weights, activations.normed.rows(0, 2 * T), view(logits));
    for (size_t b = 0; b < 2; ++b) {
      const Array<real, 2> alone = logits_of(weights, tokens[b]);
      for (size_t t = 0; t < T; ++t) {
        CAPTURE(b, begin + t);
        CHECK(relative_error(view(logits)[b * T + t], view(alone)[begin + t]) < same_tolerance);
      }
    }
    begin += T;
  }
}

TEST_CASE("a team of any size gives the same bits, prompts, single tokens and a wrapped window alike") {
  LlamaConfig config = untied();  // 3 kv heads: some threads of four have none
  config.hidden_dim = 70, config.vocabulary_size = 100;
  const LlamaParameters weights = random_model(config, 8);
  std::vector<std::int32_t> tokens(60);
  for (size_t t = 0; t < tokens.size(); ++t) tokens[t] = static_cast<std::int32_t>(7 * t % 100);
  const auto logits = [&](size_t threads) {
    Decoder decoder(weights, 55, 20, threads);
    std::vector<std::vector<real>> all;
    for (size_t begin = 0; begin < 60;) {
      const size_t count = begin == 0 ? 47 : 1;
      const auto row = decoder.feed({&tokens[begin], count});
      all.emplace_back(row.begin(), row.end());
      begin += count;
    }
    return all;
  };
  const auto alone = logits(1);
  for (const size_t threads : {2, 3, 4}) CHECK(logits(threads) == alone);
}

TEST_CASE("a token that does not exist is refused by a team, and the decoder goes on") {
  const LlamaParameters weights = random_model(tied(), 6);
  Decoder decoder(weights, 8, 8, 2), other(weights, 8, 8, 2);
  const std::vector<std::int32_t> wrong = {1, 2, 3, 99}, right = {1, 2, 3, 4};
  CHECK_THROWS_WITH(decoder.feed(wrong), contains("token id 99"));
  CHECK(decoder.length() == 0);
  CHECK(difference(decoder.feed(right), other.feed(right), 0) == "");
}

TEST_CASE("decoding allocates nothing after its first token") {
  const LlamaParameters weights = random_model(tied(), 6);
  Decoder decoder(weights, 8, 8, GENERATE(1, 2));  // wraps on the way
  const std::int32_t token = 1;
  decoder.feed({&token, 1});
  const size_t before = allocations();
  for (int i = 0; i < 20; ++i) decoder.feed({&token, 1});
  CHECK(allocations() == before);
}
