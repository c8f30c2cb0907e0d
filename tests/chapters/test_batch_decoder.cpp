// Several texts side by side: each has the bits that it has alone.
#include <algorithm>

#include "chapters/09-sampling/batch_decoder.hpp"
#include "chapters/09-sampling/generate.hpp"
#include "tests/allocations.hpp"
#include "tests/chapters/llama_problem.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

/// Widths beyond a vector's, heads in groups, and more tokens than bytes.
LlamaConfig grouped() {
  LlamaConfig c;
  c.vocabulary_size = 300, c.dim = 96, c.hidden_dim = 150, c.layers = 2, c.heads = 6, c.kv_heads = 3, c.head_dim = 32;
  c.context = 64;
  return c;
}

/// Logits of the size of a trained model's, so that many tokens are likely.
LlamaParameters some_model() {
  LlamaParameters weights(grouped());
  Random random(8);
  for (real& value : weights.flat()) value = real(0.1 * random.normal());
  return weights;
}

std::vector<std::int32_t> some_tokens(size_t count, size_t seed) {
  std::vector<std::int32_t> tokens(count);
  for (size_t t = 0; t < count; ++t) tokens[t] = static_cast<std::int32_t>((7 * t + 31 * seed) % 300);
  return tokens;
}

/// Prompts of many lengths; the first three begin alike. All tokens are bytes.
std::vector<TextRequest> some_requests() {
  std::vector<TextRequest> requests;
  for (size_t i = 0; i < 13; ++i) {
    TextRequest request;
    request.prompt = some_tokens(i < 3 ? 5 : 1 + i * i % 37, i < 3 ? 0 : i);
    for (TokenId& token : request.prompt) token %= 256;
    request.options.sampling.seed = i;
    request.options.tokens = i * 29 % 80;  // 0 as well, and more than the context has room for
    if (i % 4 == 1) request.options.sampling.top_p = 0.9;
    if (i % 4 == 2) request.options.sampling.temperature = 0;
    if (i % 4 == 3) request.options.sampling.repetition_penalty = 1.3, request.options.stops = {"e"};
    requests.push_back(request);
  }
  return requests;
}

}  // namespace

TEST_CASE("texts side by side have the logits that each has alone, to the last bit") {
  const LlamaParameters weights = some_model();
  const size_t prompts[] = {1, 3, 9, 40, 2, 17, 5}, texts = std::size(prompts);
  const CacheType type = GENERATE(CacheType::f32, CacheType::q8_0);
  const size_t threads = GENERATE(1, 2, 3);
  CAPTURE(name_of(type), threads);
  // The last steps wrap around.
  std::vector<std::vector<real>> expected(texts), actual(texts);
  const auto keep = [](std::vector<real>& all, std::span<const real> logits) {
    all.insert(all.end(), logits.begin(), logits.end());
  };
  const size_t steps = 12, capacity = 48;
  BatchDecoder batch(weights, texts, capacity, threads, type);
  for (size_t i = 0; i < texts; ++i) {
    const std::vector<std::int32_t> tokens = some_tokens(prompts[i] + steps, i);
    Decoder alone(weights, capacity, default_chunk, 1, type);
    keep(expected[i], alone.feed(std::span(tokens).first(prompts[i])));
    for (size_t t = 0; t < steps; ++t) keep(expected[i], alone.feed({&tokens[prompts[i] + t], 1}));
    keep(actual[i], batch.read(std::span(tokens).first(prompts[i])).span());
    batch.begin(i);
  }
  for (size_t t = 0; t < steps; ++t) {
    std::vector<std::int32_t> newest;
    for (size_t i = 0; i < texts; ++i) newest.push_back(some_tokens(prompts[i] + steps, i)[prompts[i] + t]);
    batch.step(newest, [&](size_t place, View<const real, 1> logits) { keep(actual[place], logits.span()); });
  }
  for (size_t i = 0; i < texts; ++i) {
    CAPTURE(i);
    CHECK(actual[i] == expected[i]);
  }
}

TEST_CASE("many texts are those that each request gives alone, however many run side by side") {
  const LlamaParameters weights = some_model();
  const Tokenizer tokenizer(bytes_model());
  const std::vector<TextRequest> requests = some_requests();
  const std::vector<TokenId> ends = {299, 7, 50, 120, 200, 250};
  std::vector<FinishedText> expected;
  for (const TextRequest& request : requests) {
    Decoder decoder(weights, positions_of(request, weights.config().context));
    FinishedText text{expected.size(), {}, {}};
    text.result = generate_text(decoder, tokenizer, request.prompt, ends, request.options,
                                [&](std::string_view part) { text.text += part; });
    expected.push_back(text);
  }
  CHECK(std::ranges::count_if(expected, [](const FinishedText& t) { return t.result.ended; }) >= 2);
  CHECK(std::ranges::count_if(expected, [](const FinishedText& t) { return !t.result.ended; }) >= 2);
  for (const size_t places : {1, 2, 5, 32})
    for (const size_t threads : {1, 2}) {
      CAPTURE(places, threads);
      BatchDecoder decoder(weights, places, positions_of(requests, weights.config().context), threads);
      const std::vector<FinishedText> texts = generate_texts(decoder, tokenizer, requests, ends);
      REQUIRE(texts.size() == expected.size());
      for (size_t i = 0; i < texts.size(); ++i) {
        CAPTURE(i);
        CHECK(texts[i].request == i);
        CHECK(texts[i].text == expected[i].text);
        CHECK(texts[i].result.tokens == expected[i].result.tokens);
        CHECK(texts[i].result.ended == expected[i].result.ended);
      }
    }
}

TEST_CASE("a step of a batch allocates nothing, and refuses what does not fit") {
  const LlamaParameters weights = some_model();
  BatchDecoder decoder(weights, 3, 20, 2);
  const std::vector<std::int32_t> prompt = some_tokens(4, 1), newest = {1, 2, 3}, wrong = {1, 999, 3},
                                  many = {1, 2, 3, 4};
  decoder.read(prompt);
  for (size_t place = 0; place < 3; ++place) decoder.begin(place);
  size_t used[3] = {};
  const BatchDecoder::Use use = [&](size_t place, View<const real, 1>) { used[place] += 1; };
  decoder.step(newest, use);
  const size_t before = allocations();
  for (int i = 0; i < 20; ++i) decoder.step(newest, use);  // wraps on the way
  CHECK(allocations() == before);
  CHECK((used[0] == 21 && used[1] == 21 && used[2] == 21));
  CHECK(decoder.length(2) == 25);
  CHECK_THROWS_AS(decoder.step(many, use), ContractError);
  CHECK_THROWS_AS(decoder.step({}, use), ContractError);
  CHECK_THROWS_WITH(decoder.step(wrong, use), contains("token id 999"));
  CHECK(decoder.length(2) == 25);
}

TEST_CASE("texts end when they are told to stop") {
  const LlamaParameters weights = some_model();
  const Tokenizer tokenizer(bytes_model());
  std::atomic<bool> stop = true;
  std::vector<TextRequest> requests = some_requests();
  for (TextRequest& request : requests) request.options.stop = &stop;
  BatchDecoder decoder(weights, 4, 64);
  for (const FinishedText& text : generate_texts(decoder, tokenizer, requests, {})) CHECK(text.result.tokens.empty());
}
