// Chapter 22, speculative decoding: the rule exactly, and texts through the sampler's filters.
#include <algorithm>
#include <cmath>
#include <map>

#include "chapters/22-serving/acceptance.hpp"
#include "chapters/22-serving/speculate.hpp"
#include "tests/chapters/talkative_llama.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

/// Weights that sum to 4096 as probabilities: exact in float, and so are their sums. Some are 0.
Array<real, 1> dyadic(size_t vocabulary, Random& random) {
  std::vector<int> parts(vocabulary);
  for (int left = 4096; left > 0;) {
    const int part = std::min(left, 1 + int(random.below(900)));
    parts[random.below(std::uint32_t(vocabulary))] += part;
    left -= part;
  }
  Array<real, 1> p(Shape<1>{vocabulary});
  for (size_t v = 0; v < vocabulary; ++v) p(v) = real(parts[v]) / 4096;
  return p;
}

/// The distribution of what verified_token gives, exactly: its coin is cut where a result can change, and each part
/// counts with its length.
std::vector<double> outcome(const Array<real, 1>& target, const Array<real, 1>& draft) {
  const size_t V = target.size();
  std::vector<double> result(V);
  for (size_t x = 0; x < V; ++x) {
    if (draft(x) == 0) continue;
    const double accepted = std::min(1.0, double(target(x)) / double(draft(x)));
    double mass = 0;
    for (size_t v = 0; v < V; ++v) mass += std::max(0.0, double(target(v)) - double(draft(v)));
    std::vector<double> cuts = {0, accepted};
    for (size_t v = 0; v < V && accepted < 1; ++v)
      cuts.push_back(cuts.back() + (1 - accepted) * std::max(0.0, double(target(v)) - double(draft(v))) / mass);
    cuts.push_back(1);
    for (size_t i = 0; i + 1 < cuts.size(); ++i) {
      if (cuts[i + 1] - cuts[i] < 1e-14) continue;
      const double coin = (cuts[i] + cuts[i + 1]) / 2;
      const TokenId token = verified_token(view(target), view(draft), TokenId(x), coin);
      result[size_t(token)] += double(draft(x)) * (cuts[i + 1] - cuts[i]);
    }
  }
  return result;
}

/// A Llama of six tokens, "a" to "f".
LlamaParameters six_tokens(std::uint64_t seed) {
  LlamaConfig c;
  c.vocabulary_size = 6, c.dim = 8, c.hidden_dim = 12, c.layers = 1, c.heads = 2, c.kv_heads = 1, c.head_dim = 4;
  c.context = 16;
  LlamaParameters weights(c);
  Random random(seed);
  for (real& value : weights.flat()) value = real(0.5 * random.normal());
  return weights;
}

BpeModel letters() { return characters_model("abcdef", {}); }

std::string speculated(const LlamaWeights& weights, Draft& draft, size_t most, const Tokenizer& tokenizer,
                       const std::vector<TokenId>& prompt, std::span<const TokenId> ends,
                       const GenerationOptions& options, SpeculationFigures& figures, size_t capacity = 64) {
  Decoder decoder(weights, capacity, default_chunk, 1, CacheType::f32, most + 1);
  std::string text;
  speculate_text(
      decoder, draft, most, tokenizer, prompt, ends, options, [&](std::string_view part) { text += part; }, figures);
  return text;
}

std::string generated(const LlamaWeights& weights, const Tokenizer& tokenizer, const std::vector<TokenId>& prompt,
                      std::span<const TokenId> ends, const GenerationOptions& options, size_t capacity = 64) {
  Decoder decoder(weights, capacity);
  std::string text;
  generate_text(decoder, tokenizer, prompt, ends, options, [&](std::string_view part) { text += part; });
  return text;
}

}  // namespace

TEST_CASE("speculation: the example of the lesson, worked by hand") {
  // The draft is sure of token 0 where the target is not.
  const Array<real, 1> target = {0.5, 0.25, 0.25}, draft = {0.75, 0.25, 0};
  const auto token = [&](TokenId drafted, double coin) {
    return verified_token(view(target), view(draft), drafted, coin);
  };
  CHECK(token(1, 0.99) == 1);  // 0.25 / 0.25: always
  CHECK(token(0, 0.66) == 0);  // 0.5 / 0.75 = 2/3
  CHECK(token(0, 0.67) == 2);  // the rest is all of token 2
  const std::vector<double> result = outcome(target, draft);
  CHECK(std::abs(result[0] - 0.5) < 1e-15);
  CHECK(std::abs(result[1] - 0.25) < 1e-15);
  CHECK(std::abs(result[2] - 0.25) < 1e-15);
  CHECK(std::abs(expected_tokens(0.75, 4) - 3.05078125) < 1e-12);  // 1 + 0.75 + 0.75² + 0.75³ + 0.75⁴
  CHECK(expected_tokens(1, 4) == 5);
}

TEST_CASE("speculation: the rule gives the target's distribution, whatever the draft is") {
  Random random(4);
  for (int i = 0; i < 200; ++i) {
    const size_t V = 1 + random.below(7);
    const Array<real, 1> target = dyadic(V, random), draft = dyadic(V, random);
    const std::vector<double> result = outcome(target, draft);
    for (size_t v = 0; v < V; ++v) {
      CAPTURE(i, v);
      CHECK(std::abs(result[v] - double(target(v))) < 1e-12);
    }
  }
}

TEST_CASE("speculation: a draft that is certain is accepted as often as the target says") {
  const Array<real, 1> target = {0.125, 0.625, 0.25}, draft = {0, 0, 1};
  CHECK(verified_token(view(target), view(draft), 2, 0.2499) == 2);
  CHECK(verified_token(view(target), view(draft), 2, 0.2501) == 0);  // a sixth of the rest: up to 0.375
  CHECK(verified_token(view(target), view(draft), 2, 0.3749) == 0);
  CHECK(verified_token(view(target), view(draft), 2, 0.3751) == 1);
  CHECK_THROWS_AS(verified_token(view(target), view(draft), 0, 0.5), ContractError);
}

TEST_CASE("speculation: several tokens in one pass have the logits of one after the other, to the last bit") {
  const LlamaParameters weights = talkative();
  std::vector<std::int32_t> tokens(20);
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = std::int32_t(31 * i % 256);
  for (const CacheType type : {CacheType::f32, CacheType::f16}) {
    Decoder each(weights, 32, default_chunk, 2, type, 6), one(weights, 32, default_chunk, 1, type);
    each.feed(std::span(tokens).first(7)), one.feed(std::span(tokens).first(7));
    for (const size_t count : {1, 4, 6, 2}) {
      const auto fed = std::span(tokens).subspan(each.length(), count);
      const View<const real, 2> logits = each.feed_each(fed);
      REQUIRE(logits.shape(0) == count);
      for (size_t i = 0; i < count; ++i) CHECK(std::ranges::equal(logits[i].span(), one.feed(fed.subspan(i, 1))));
    }
    CHECK_THROWS_AS(each.feed_each(std::span(tokens).first(7)), ContractError);
    each.feed(std::span(tokens).first(8));  // 28 of 32
    CHECK_THROWS_AS(each.feed_each(std::span(tokens).first(5)), ContractError);
  }
}

TEST_CASE("speculation: a greedy text is the one without a draft, also where the context slides") {
  const LlamaParameters weights = talkative();
  LlamaParameters other = talkative();
  for (real& value : other.flat()) value *= real(0.98);
  const Tokenizer tokenizer(bytes_model());
  const std::vector<TokenId> prompt = tokenizer.encode("a story, a story");
  const std::vector<TokenId> ends = {257};
  const GenerationOptions options{.sampling = {.temperature = 0, .repetition_penalty = 1.1}, .tokens = 80};
  for (const size_t capacity : {128, 48}) {
    CAPTURE(capacity);
    const std::string expected = generated(weights, tokenizer, prompt, ends, options, capacity);
    CHECK(expected.size() > 20);
    PromptLookup lookup;
    DraftModel model(other, capacity, ends, options.sampling);
    for (Draft* draft : {static_cast<Draft*>(&lookup), static_cast<Draft*>(&model)}) {
      SpeculationFigures figures;
      CHECK(speculated(weights, *draft, 4, tokenizer, prompt, ends, options, figures, capacity) == expected);
      CHECK(figures.drafted > 0);
      CHECK(figures.accepted <= figures.drafted);
    }
  }
}

TEST_CASE("speculation: a text may end behind a guess that is the end, when the context has slid") {
  const LlamaParameters weights = talkative();
  const Tokenizer tokenizer(bytes_model());
  const std::vector<TokenId> prompt = tokenizer.encode("a story, a story");
  GenerationOptions options{.sampling = {.temperature = 0}, .tokens = 60};
  Decoder decoder(weights, 24);
  const std::vector<TokenId> tokens =
      generate_text(decoder, tokenizer, prompt, {}, options, [](std::string_view) {}).tokens;
  // The first token that comes for the first time when the context of 24 is full.
  size_t i = 20;
  while (std::find(tokens.begin(), tokens.begin() + std::ptrdiff_t(i), tokens[i]) != tokens.begin() + std::ptrdiff_t(i))
    REQUIRE(++i < tokens.size());
  const std::vector<TokenId> ends = {tokens[i]};
  DraftModel self(weights, 24, ends, options.sampling);
  SpeculationFigures figures;
  CHECK(speculated(weights, self, 4, tokenizer, prompt, ends, options, figures, 24) ==
        generated(weights, tokenizer, prompt, ends, options, 24));
}

TEST_CASE("speculation: a model that drafts for itself is never wrong, and each pass gives one token more") {
  const LlamaParameters weights = talkative();
  const Tokenizer tokenizer(bytes_model());
  const std::vector<TokenId> prompt = tokenizer.encode("once");
  for (const double top_p : {1.0, 0.7}) {
    const GenerationOptions options{.sampling = {.temperature = 0.8, .top_p = top_p, .seed = 5}, .tokens = 41};
    DraftModel draft(weights, 64, {}, options.sampling);
    SpeculationFigures figures;
    CHECK(speculated(weights, draft, 4, tokenizer, prompt, {}, options, figures).size() > 0);
    CHECK(figures.accepted == figures.drafted);
    CHECK(figures.passes == 8);  // the prompt's pass gives the first token, each other pass 4 + 1
    CHECK(figures.drafted == 32);
  }
}

TEST_CASE("speculation: through the sampler's filters texts have the distribution that they have without a draft") {
  const LlamaParameters weights = six_tokens(1), other = six_tokens(2);
  const Tokenizer tokenizer(letters());
  const std::vector<TokenId> prompt = {0};
  const SamplingOptions samplings[] = {
      {.temperature = 1.3}, {.temperature = 0.7, .top_p = 0.85}, {.top_k = 3, .repetition_penalty = 1.4}};
  for (const SamplingOptions& sampling : samplings) {
    CAPTURE(sampling.temperature, sampling.top_p, sampling.top_k);
    // All texts of three tokens with their probabilities.
    std::map<std::string, double> expected;
    Sampler sampler(sampling, 6);
    const auto extend = [&](const auto& self, std::vector<TokenId> tokens, double probability) -> void {
      if (tokens.size() == 4) {
        expected[tokenizer.decode(std::span(tokens).subspan(1))] = probability;
        return;
      }
      Decoder decoder(weights, 16);
      Array<real, 1> p(Shape<1>{6});
      sampler.distribution({decoder.feed(tokens), {6}}, tokens, view(p));
      for (size_t v = 0; v < 6; ++v) {
        tokens.push_back(TokenId(v));
        if (p(v) > 0) self(self, tokens, probability * double(p(v)));
        tokens.pop_back();
      }
    };
    extend(extend, prompt, 1);
    const size_t draws = 3000;
    std::map<std::string, size_t> counts;
    SpeculationFigures figures;
    for (size_t seed = 0; seed < draws; ++seed) {
      GenerationOptions options{.sampling = sampling, .tokens = 4};
      options.sampling.seed = seed;
      DraftModel draft(other, 16, {}, options.sampling);
      const std::string text = speculated(weights, draft, 2, tokenizer, prompt, {}, options, figures, 16);
      REQUIRE(text.size() == 4);
      ++counts[text.substr(0, 3)];
    }
    CHECK((figures.accepted > 0 && figures.accepted < figures.drafted));  // both ways are taken
    double chi_square = 0, cells = 0, few = 0, few_counted = 0;
    for (const auto& [text, probability] : expected) {
      const double mean = probability * double(draws), count = double(counts[text]);
      if (mean < 5)
        few += mean, few_counted += count;
      else
        chi_square += (count - mean) * (count - mean) / mean, ++cells;
    }
    if (few > 5) chi_square += (few_counted - few) * (few_counted - few) / few, ++cells;
    for (const auto& [text, count] : counts) CHECK(expected.contains(text));  // what is filtered out never comes
    CAPTURE(chi_square, cells);
    CHECK(chi_square < cells - 1 + 4 * std::sqrt(2 * (cells - 1)));  // four standard deviations; the seeds are fixed
  }
}

TEST_CASE("speculation: the prompt as a draft, what followed the last tokens before") {
  const std::vector<TokenId> tokens = {5, 1, 2, 3, 9, 1, 2, 4, 7, 1, 2};
  const auto found = looked_up(tokens, 2);
  CHECK(std::vector<TokenId>(found.begin(), found.end()) == std::vector<TokenId>{4, 7, 1, 2});  // the latest place
  const std::vector<TokenId> longer = {3, 1, 2, 8, 4, 1, 2, 9, 3, 1, 2};
  CHECK(looked_up(longer, 3)[0] == 8);  // 3 1 2 counts more than 1 2
  CHECK(looked_up(longer, 2)[0] == 9);
  CHECK(looked_up(std::vector<TokenId>{1, 2, 3}, 3).empty());
  CHECK(looked_up(std::vector<TokenId>{}, 3).empty());
}
