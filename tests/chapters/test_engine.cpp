// Many texts with one model: each has the bits that it has alone, whoever is served beside it.
#include <algorithm>

#include "tests/chapters/served_texts.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

std::vector<TokenId> some_tokens(Random& random, size_t count) {
  std::vector<TokenId> tokens(count);
  for (TokenId& token : tokens) token = TokenId(random.below(256));
  return tokens;
}

/// Prompts of many lengths, of which many begin alike; options of all kinds.
std::vector<ServedRequest> some_requests(size_t count, std::uint64_t seed) {
  Random random(seed);
  const std::vector<TokenId> beginning = some_tokens(random, 100);
  std::vector<ServedRequest> requests;
  for (size_t i = 0; i < count; ++i) {
    ServedRequest request;
    if (i % 2 == 0) request.prompt.assign(beginning.begin(), beginning.begin() + std::ptrdiff_t(random.below(100)));
    for (const TokenId token : some_tokens(random, 1 + random.below(i % 5 == 4 ? 150 : 30)))
      request.prompt.push_back(token);
    request.options.sampling.seed = i;
    request.options.tokens = 1 + random.below(40);
    if (i % 4 == 1) request.options.sampling.top_p = 0.9;
    if (i % 4 == 2) request.options.sampling.temperature = 0;
    if (i % 4 == 3) request.options.sampling.repetition_penalty = 1.3, request.options.stops = {"e"};
    requests.push_back(request);
  }
  return requests;
}

const std::vector<TokenId> some_ends = {299, 7, 50};

}  // namespace

TEST_CASE("a text has the bits that it has alone") {
  const LlamaParameters weights = served_model();
  const Tokenizer tokenizer(bytes_model());
  const std::vector<ServedRequest> requests = some_requests(24, 3);
  const CacheType type = GENERATE(CacheType::f32, CacheType::f16, CacheType::q8_0);
  CAPTURE(name_of(type));
  std::vector<ServedText> expected;
  for (const ServedRequest& request : requests)
    expected.push_back(alone(weights, tokenizer, some_ends, request, type, served_config().context));
  struct Case {
    EngineOptions options;
    const char* what;
  };
  for (const Case& c : {
           Case{{.blocks = 400, .chunk = 256}, "everything fits"},
           Case{{.blocks = 400, .chunk = 7, .threads = 2}, "prompts in pieces"},
           Case{{.blocks = 24, .chunk = 64, .threads = 3}, "texts are thrown out"},
           Case{{.blocks = 80, .block_size = 4, .places = 5, .chunk = 33}, "small blocks"},
       }) {
    CAPTURE(c.what);
    EngineOptions options = c.options;
    options.cache_type = type;
    Engine engine(weights, tokenizer, some_ends, options);
    std::vector<ServedText> actual(requests.size());
    size_t next = 0;
    for (size_t pass = 0; next < requests.size() || !engine.idle(); ++pass) {
      for (; next < requests.size() && next <= 2 * pass; ++next)
        REQUIRE(engine.add(requests[next].prompt, requests[next].options, kept_in(actual[next])));
      engine.step();
      REQUIRE(pass < 5000);
    }
    for (size_t i = 0; i < requests.size(); ++i) {
      CAPTURE(i);
      CHECK(actual[i].tokens == expected[i].tokens);
      CHECK(actual[i].text == expected[i].text);
      CHECK(actual[i].finished);
      CHECK(actual[i].ended == expected[i].ended);
      CHECK(first_difference(actual[i].logits, expected[i].logits) == expected[i].logits.size());
    }
    CHECK(engine.figures().blocks_used == 0);
    CHECK((engine.figures().preemptions > 0) ==
          (std::string(c.what) == "texts are thrown out" || options.blocks == 80));
    CHECK(engine.figures().tokens_from_prefix > 0);
  }
}

TEST_CASE("under a random load, with cancels, every text that ends has the bits that it has alone") {
  const LlamaParameters weights = served_model();
  const Tokenizer tokenizer(bytes_model());
  const std::vector<ServedRequest> requests = some_requests(40, 17);
  Random random(4);
  Engine engine(weights, tokenizer, some_ends,
                {.blocks = 40, .block_size = 8, .places = 6, .chunk = 40, .waiting = 10, .threads = 2});
  std::vector<ServedText> actual(requests.size());
  std::vector<std::uint64_t> ids(requests.size());
  std::vector<bool> cancelled(requests.size());
  size_t next = 0, refused = 0;
  for (size_t pass = 0; next < requests.size() || !engine.idle(); ++pass) {
    REQUIRE(pass < 5000);
    for (size_t burst = random.below(4); burst > 0 && next < requests.size(); --burst) {
      const std::optional<std::uint64_t> id =
          engine.add(requests[next].prompt, requests[next].options, kept_in(actual[next]));
      if (!id) {
        ++refused;
        break;
      }
      ids[next++] = *id;
    }
    if (next > 0 && random.below(6) == 0) {
      const size_t i = random.below(std::uint32_t(next));
      if (!actual[i].finished) engine.cancel(ids[i]), cancelled[i] = true;
    }
    engine.step();
  }
  CHECK(refused > 0);
  CHECK((engine.figures().blocks_used == 0 && engine.figures().running == 0 && engine.figures().waiting == 0));
  CHECK(engine.figures().preemptions > 0);
  size_t whole = 0;
  for (size_t i = 0; i < requests.size(); ++i) {
    CAPTURE(i);
    const ServedText expected =
        alone(weights, tokenizer, some_ends, requests[i], CacheType::f32, served_config().context);
    CHECK(actual[i].finished != cancelled[i]);
    const size_t known = actual[i].logits.size();
    REQUIRE(known <= expected.logits.size());
    CHECK(std::equal(actual[i].logits.begin(), actual[i].logits.end(), expected.logits.begin()));
    if (!cancelled[i]) CHECK((known == expected.logits.size() && actual[i].text == expected.text));
    whole += !cancelled[i];
  }
  CHECK((whole > 20 && whole < requests.size()));
}

TEST_CASE("a text's events may cancel it, cancel others, and add new ones") {
  const LlamaParameters weights = served_model();
  const Tokenizer tokenizer(bytes_model());
  Engine engine(weights, tokenizer, {}, {.blocks = 40, .places = 3});
  GenerationOptions options;
  options.tokens = 6;
  size_t own = 0, others = 0, added = 0;
  std::uint64_t first = 0, second = 0;
  first = *engine.add({1, 2, 3}, options, {.token = [&](auto, auto, auto) {
                        if (++own == 3) {
                          engine.cancel(first), engine.cancel(second);
                          engine.add({9}, options,
                                     {.finished = [&](auto, const GenerationResult& r) { added = r.tokens.size(); }});
                        }
                      }});
  second = *engine.add({4, 5}, options, {.token = [&](auto, auto, auto) { ++others; }});
  while (!engine.idle()) engine.step();
  CHECK((own == 3 && others <= 3 && added == 6));
  engine.cancel(first);
  engine.cancel(77);
  CHECK(engine.figures().blocks_used == 0);
}

TEST_CASE("what cannot be served is refused in one line, and a full queue is no error") {
  const LlamaParameters weights = served_model();
  const Tokenizer tokenizer(bytes_model());
  Engine engine(weights, tokenizer, {}, {.blocks = 3, .block_size = 8, .waiting = 2});
  CHECK(engine.room() == 24);
  CHECK_THROWS_WITH(engine.add(std::vector<TokenId>(24, 1), {}, {}),
                    "the prompt has 24 tokens, and there is room for 24 with an answer");
  CHECK_THROWS_WITH(engine.add({}, {}, {}), "the prompt has no tokens");
  CHECK_THROWS_AS(engine.add({300}, {}, {}), UserError);
  CHECK_THROWS_AS(engine.add({1}, {.sampling = {.top_p = 2}}, {}), UserError);
  ServedText longest;
  CHECK(engine.add(std::vector<TokenId>(20, 1), {}, kept_in(longest)));
  CHECK(engine.add({1}, {}, {}));
  CHECK(!engine.add({1}, {}, {}));
  while (!engine.idle()) engine.step();
  CHECK((longest.tokens.size() == 4 && !longest.ended));
  CHECK_THROWS_AS(Engine(weights, tokenizer, {}, {.blocks = 0}), ContractError);
  CHECK_THROWS_AS(Engine(weights, tokenizer, {}, {.blocks = 3, .places = 0}), ContractError);
}

TEST_CASE("texts that wait for the same blocks do not keep each other from beginning") {
  const LlamaParameters weights = served_model();
  const Tokenizer tokenizer(bytes_model());
  Engine engine(weights, tokenizer, {}, {.blocks = 3, .block_size = 4, .places = 2});
  GenerationOptions options;
  options.tokens = 2;
  std::vector<ServedText> texts(3);
  for (ServedText& text : texts) REQUIRE(engine.add({1, 2, 3, 4, 5, 6, 7, 8}, options, kept_in(text)));
  for (int pass = 0; pass < 20 && !engine.idle(); ++pass) engine.step();
  for (const ServedText& text : texts) CHECK((text.finished && text.tokens == texts[0].tokens));
}

TEST_CASE("a text that is told to stop ends with what it has") {
  const LlamaParameters weights = served_model();
  const Tokenizer tokenizer(bytes_model());
  Engine engine(weights, tokenizer, {}, {.blocks = 40, .places = 1});
  std::atomic<bool> stop = false;
  GenerationOptions options;
  options.stop = &stop;
  ServedText running, waiting;
  engine.add({1, 2}, options, kept_in(running));
  engine.add({1, 2}, options, kept_in(waiting));
  for (int i = 0; i < 5; ++i) engine.step();
  CHECK(running.tokens.size() == 5);
  stop = true;
  engine.step();
  CHECK(engine.idle());
  CHECK((running.finished && running.tokens.size() == 5 && waiting.finished && waiting.tokens.empty()));
}

TEST_CASE("logits that are no numbers end their text and no other") {
  LlamaConfig config = served_config();
  config.tied_embeddings = false;
  LlamaParameters weights = random_model(config, 6);
  const Tokenizer tokenizer(bytes_model());
  for (real& number : weights.tensors().embedding[7].span()) number = std::numeric_limits<real>::quiet_NaN();
  Engine engine(weights, tokenizer, {}, {.blocks = 40});
  GenerationOptions options;
  options.tokens = 3;
  std::string failure;
  ServedText good;
  engine.add({7}, options, {.failed = [&](std::string_view message) { failure = message; }});
  engine.add({8, 9}, options, kept_in(good));
  while (!engine.idle()) engine.step();
  CHECK(failure != "");
  CHECK(good.finished);
}
