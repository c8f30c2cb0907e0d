// What `cria look` computes beside the forward pass itself: a head switched off, the lens, the grammar's next token,
// and how a word's merges follow each other.
#include <algorithm>
#include <cmath>

#include "app/look/address.hpp"
#include "app/look/encoded.hpp"
#include "app/look/merge_steps.hpp"
#include "app/look/page_asset.hpp"
#include "app/look/passage.hpp"
#include "app/look/run_lines.hpp"
#include "app/look/story_data.hpp"
#include "lib/base/file.hpp"
#include "tests/chapters/tiny_llama.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::look;

namespace {

const std::vector<TokenId> tokens = {3, 1, 4, 1, 5, 9, 2, 6};

LlamaParameters random_llama() {
  LlamaParameters weights(cria::testing::tiny());
  Random random(1);
  initialise(weights, random);
  return weights;
}

/// Bytes, GPT-2's pieces, and one merge: a space and a k.
Tokenizer byte_tokenizer() {
  BpeModel model = bytes_model();
  model.pattern = SplitPattern::gpt2;
  model.vocabulary.insert(" k");
  model.merges.push_back({' ', 'k', TokenId(model.vocabulary.find(" k"))});
  return Tokenizer(std::move(model));
}

}  // namespace

TEST_CASE("A head is off when what it gives is multiplied by zeros: the same bits") {
  const LlamaParameters weights = random_llama();
  const Passage passage(weights, tokens);
  const size_t D = weights.config().head_dim;
  for (const size_t layer : {0, 1})
    for (const size_t head : {0, 4}) {
      INFO("layer " << layer << ", head " << head);
      LlamaParameters without = random_llama();
      const View<real, 2> output = without.tensors().layers[layer].output;
      for (size_t c = 0; c < output.shape(0); ++c)
        for (size_t d = 0; d < D; ++d) output(c, head * D + d) = 0;
      const Passage other(without, tokens);
      std::vector<real> expected(weights.config().vocabulary_size);
      llama_logits(without, other.activations().normed.rows(tokens.size() - 1, tokens.size()),
                   View<real, 2>(expected.data(), {1, expected.size()}));
      const std::vector<real> actual = passage.without_head(layer, head);
      real moved = 0;
      for (size_t i = 0; i < actual.size(); ++i) {
        CHECK(actual[i] == expected[i]);
        moved = std::max(moved, std::abs(actual[i] - passage.logits()(tokens.size() - 1, i)));
      }
      CHECK(moved > 1e-4);
    }
}

TEST_CASE("The lens on the last layer is the model itself, and on an earlier one a shorter model") {
  const LlamaParameters weights = random_llama();
  const Passage passage(weights, tokens);
  const std::vector<real> last = passage.lens(2);
  CHECK(std::equal(last.begin(), last.end(), passage.logits().span().begin()));

  LlamaWeights shorter = weights;
  shorter.config.layers = 1;
  shorter.tensors.layers.resize(1);
  const Passage of_one(shorter, tokens);
  const std::vector<real> first = passage.lens(1);
  CHECK(std::equal(first.begin(), first.end(), of_one.logits().span().begin()));
}

TEST_CASE("A pass that nobody waits for ends in the layer that it is in, and what follows it as well") {
  const LlamaParameters weights = random_llama();
  struct Enough {};
  size_t asked = 0;
  CHECK_THROWS_AS(Passage(weights, tokens,
                          [&] {
                            if (++asked == 2) throw Enough();
                          }),
                  Enough);
  CHECK(asked == 2);
  bool leaves = false;
  const Passage passage(weights, tokens, [&] {
    if (leaves) throw Enough();
  });
  const std::vector<real> last = passage.lens(2), without = passage.without_head(1, 4);
  leaves = true;
  CHECK_THROWS_AS(passage.lens(2), Enough);
  CHECK_THROWS_AS(passage.without_head(1, 4), Enough);
  const Passage unasked(weights, tokens);
  CHECK(last == unasked.lens(2));
  CHECK(without == unasked.without_head(1, 4));
}

TEST_CASE("The grammar's next token is what a story's tokens go on with, worked out by hand") {
  const Grammar grammar = Grammar::read(R"(
rule story
  [wish]
list thing: name
  2: kite | ball | kiwi

sentence wish
  Mia wanted a {thing.name}.
)",
                                        "small");
  const Parser parser(grammar);
  const Tokenizer tokenizer = byte_tokenizer();
  const TokenId end = *tokenizer.eos_id(), space_k = TokenId(tokenizer.model().vocabulary.find(" k"));
  const auto after = [&](std::string_view text) {
    return story_next(parser, tokenizer, text, tokenizer.encode(text), end);
  };
  const auto check = [&](std::string_view text, const std::map<TokenId, double>& expected) {
    INFO(text);
    const std::map<TokenId, double> next = after(text);
    REQUIRE(next.size() == expected.size());
    for (const auto& [token, p] : expected) {
      REQUIRE(next.contains(token));
      CHECK(next.at(token) == Approx(p).epsilon(1e-12));
    }
  };
  check("", {{'M', 1}});
  check("Mia wanted a", {{space_k, 0.75}, {' ', 0.25}});
  // A story that goes on with k would have had " k" as one token, so behind a space that stands alone comes b.
  check("Mia wanted a ", {{'b', 1}});
  check("Mia wanted a ki", {{'t', 2.0 / 3}, {'w', 1.0 / 3}});
  check("Mia wanted a kite.", {{end, 1}});
  check("Mia has", {});
}

TEST_CASE("Merges go one by one, the earliest learned first, and end at the word's tokens") {
  BpeModel model = bytes_model();
  const auto learn = [&](TokenId left, TokenId right, const char* text) {
    model.vocabulary.insert(text);
    model.merges.push_back({left, right, TokenId(model.vocabulary.find(text))});
    return model.merges.back().result;
  };
  const TokenId ab = learn('a', 'b', "ab"), bc = learn('b', 'c', "bc"), abab = learn(ab, ab, "abab");
  const MergeSteps merges(model);
  const std::vector<MergeStep> steps = merges.of("ababc", {abab, 'c'});
  REQUIRE(steps.size() == 4);
  CHECK(steps[0].tokens == std::vector<TokenId>{'a', 'b', 'a', 'b', 'c'});
  CHECK(steps[1].tokens == std::vector<TokenId>{ab, 'a', 'b', 'c'});
  CHECK(steps[2].tokens == std::vector<TokenId>{ab, ab, 'c'});
  CHECK(steps[3].tokens == std::vector<TokenId>{abab, 'c'});
  CHECK(steps[3].merge == 3);
  CHECK(merges.of("ababc", {ab, 'a', bc}).empty());
}

TEST_CASE("Base64 is as in RFC 4648, and bytes have two digits each") {
  const std::pair<const char*, const char*> published[] = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : published) CHECK(base64(bytes) == text);
  CHECK(base64("\xff\xfe\xfd") == "//79");
  CHECK(hexadecimal("a\xff\n") == "61ff0a");
  const std::vector<real> numbers = {1, -2};
  CHECK(encoded(numbers) == "AACAPwAAAMA=");
}

TEST_CASE("Lines of a run are means of as many steps, and what was measured stands by itself") {
  RunLines lines(4);
  const auto add = [&](size_t step, bool measured = false) {
    lines.add(line_of(step, measured, {{"loss", double(step)}}));
  };
  std::vector<std::vector<double>> expected;  // last step, steps, mean
  const auto check = [&] {
    REQUIRE(lines.lines().size() == expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      const RunLine& line = lines.lines()[i];
      CHECK(std::vector<double>{double(line.step), double(line.steps),
                                line.sums.at("loss") / double(line.counts.at("loss"))} == expected[i]);
    }
  };
  for (size_t step = 1; step <= 4; ++step) add(step);
  expected = {{1, 1, 1}, {2, 1, 2}, {3, 1, 3}, {4, 1, 4}};
  check();
  CHECK(lines.group() == 1);
  add(5);  // one too many
  expected = {{2, 2, 1.5}, {4, 2, 3.5}, {5, 1, 5}};
  check();
  CHECK(lines.group() == 2);
  add(6);
  check();       // step 6 is not alone in its line
  add(7, true);  // but what is measured ends it
  expected.push_back({6, 1, 6}), expected.push_back({7, 1, 7});
  check();
  CHECK(lines.lines().back().measured);
  for (size_t step = 8; step <= 9; ++step) add(step);
  expected = {{4, 4, 2.5}, {6, 2, 5.5}, {7, 1, 7}, {9, 2, 8.5}};
  check();
  CHECK(lines.group() == 4);
  add(10);
  lines.close();
  expected.push_back({10, 1, 10});
  check();
}

TEST_CASE(
    "Where every other step is measured, lines cannot be joined, and a page is not sent all of them again and again") {
  RunLines lines(4);
  size_t changes = 0;
  for (size_t step = 1; step <= 200; ++step) {
    const size_t before = lines.group();
    lines.add(line_of(step, step % 2 == 0, {{"loss", double(step)}}));
    changes += lines.group() != before;
  }
  lines.close();
  CHECK(changes <= 8);  // 2^8 > 200
  CHECK(lines.group() <= 256);
  CHECK(lines.lines().size() == 200);
}

TEST_CASE("A figure that some steps lack has the mean of the others") {
  RunLines lines(1);
  lines.add(line_of(1, false, {{"reward", 1}, {"loss", 4}}));
  lines.add(line_of(2, false, {{"loss", 2}}));
  REQUIRE(lines.lines().size() == 1);
  const RunLine& line = lines.lines()[0];
  CHECK(line.sums == Figures{{"reward", 1}, {"loss", 6}});
  CHECK(line.counts.at("reward") == 1);
  CHECK(line.counts.at("loss") == 2);
}

TEST_CASE("A path is named by its last part, and an address escapes what a URL reads otherwise") {
  CHECK(last_name("runs/mine") == "mine");
  CHECK(last_name("runs/mine//") == "mine");
  CHECK(last_name("runs/mine/.") == "mine");
  CHECK(last_name("models/llama.gguf") == "llama.gguf");
  CHECK(address_of("../my models/50%/a#b?c/~x_1.2-3") == "../my%20models/50%25/a%23b%3Fc/~x_1.2-3");
  CHECK(address_of("\xc3\xa9:") == "%C3%A9%3A");  // UTF-8, byte by byte
}

TEST_CASE("A server has the page's files, and no others, with a policy that lets it ask its own origin only") {
  const auto page = page_asset("/", "var lookData = 1;");
  REQUIRE(page);
  CHECK(page->content_type == "text/html; charset=utf-8");
  CHECK(page->body.starts_with("<!DOCTYPE html>"));
  CHECK(page_asset("/data.js", "var lookData = 1;")->body == "var lookData = 1;");
  CHECK(page_asset("/look.css", "")->content_type == "text/css; charset=utf-8");
  CHECK(page_asset("/main.js", "")->content_type == "text/javascript; charset=utf-8");
  for (const char* path : {"", "main.js", "/main", "/../main.js", "//main.js", "/MAIN.JS", "/data.js?x"})
    CHECK_FALSE(page_asset(path, ""));
  const auto policy =
      std::ranges::find(page->headers, "Content-Security-Policy", [](const auto& h) { return h.first; });
  REQUIRE(policy != page->headers.end());
  CHECK(policy->second.starts_with("default-src 'none'; "));
  CHECK(policy->second.find("connect-src 'self'; ") != std::string::npos);
}
