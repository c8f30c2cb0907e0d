// Chapter 22, constraints token by token: the walk through the vocabulary, the mask, and texts that are generated.
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "chapters/09-sampling/generate.hpp"
#include "chapters/22-serving/json_schema.hpp"
#include "chapters/22-serving/schema_constraint.hpp"
#include "tests/chapters/talkative_llama.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

/// Allows one text, and what it begins with.
class OneText : public ByteAcceptor {
 public:
  explicit OneText(std::string text) : text_(std::move(text)) {}
  bool push(unsigned char byte) override {
    ++pushes_;
    if (at_ == text_.size() || static_cast<unsigned char>(text_[at_]) != byte) return false;
    ++at_;
    return true;
  }
  void pop() override { --at_; }
  bool may_end() override { return at_ == text_.size(); }
  size_t at() const { return at_; }
  size_t pushes() const { return pushes_; }

 private:
  std::string text_;
  size_t at_ = 0, pushes_ = 0;
};

/// The bytes, then these tokens, then <end>.
BpeModel with_tokens(const std::vector<std::string>& texts) {
  BpeModel model = bytes_model({});
  for (const std::string& text : texts) model.vocabulary.insert(text);
  add_special_tokens(model, {"<end>"});
  return model;
}

std::set<std::string> texts_of(const TokenSet& set, const Tokenizer& tokenizer) {
  std::set<std::string> texts;
  for (size_t i = 0; i < tokenizer.vocabulary_size(); ++i)
    if (set.contains(static_cast<TokenId>(i))) texts.emplace(tokenizer.piece(static_cast<TokenId>(i)));
  return texts;
}

}  // namespace

TEST_CASE("constraint: the example of the lesson, a walk through eight tokens") {
  const Tokenizer tokenizer(with_tokens({"tr", "true", "to", "tru", "trunk", "ue"}));
  const TokenId end = *tokenizer.special_id("<end>");
  const TokenTrie trie(tokenizer, {end});
  CHECK(trie.nodes() - 1 == 256 + 7);  // o, r, u, e, n, k and e: "t" and "u" are there as bytes
  OneText text("true");
  CHECK(texts_of(trie.allowed(text), tokenizer) == std::set<std::string>{"t", "tr", "tru", "true"});
  CHECK(text.at() == 0);                // as it was
  CHECK(text.pushes() == 256 + 2 + 3);  // all first bytes; of what follows t: o and r; behind r: u, then e and n
  for (const char byte : {'t', 'r'}) CHECK(text.push(static_cast<unsigned char>(byte)));
  CHECK(texts_of(trie.allowed(text), tokenizer) == std::set<std::string>{"u", "ue"});
  for (const char byte : {'u', 'e'}) CHECK(text.push(static_cast<unsigned char>(byte)));
  CHECK(texts_of(trie.allowed(text), tokenizer) == std::set<std::string>{"<end>"});
}

TEST_CASE("constraint: a walk finds what trying each token by itself finds") {
  std::vector<std::string> texts;
  Random random(2);
  while (texts.size() < 300) {
    std::string text;
    for (std::uint32_t i = 2 + random.below(5); i-- > 0;) text += "ab\xC3\xA4"[random.below(4)];
    if (std::ranges::find(texts, text) == texts.end()) texts.push_back(text);
  }
  const Tokenizer tokenizer(with_tokens(texts));
  const TokenId end = *tokenizer.special_id("<end>");
  const TokenTrie trie(tokenizer, {end});
  for (int round = 0; round < 50; ++round) {
    std::string wanted = texts[random.below(300)] + texts[random.below(300)];
    OneText text(wanted);
    const TokenSet allowed = trie.allowed(text);
    for (size_t i = 0; i < tokenizer.vocabulary_size(); ++i) {
      const TokenId token = static_cast<TokenId>(i);
      CHECK(allowed.contains(token) == (token != end && wanted.starts_with(tokenizer.piece(token))));
    }
  }
}

TEST_CASE("constraint: special tokens are no text, and the end is allowed exactly where the text may end") {
  BpeModel model = with_tokens({"<e"});
  add_special_tokens(model, {"<other>"});
  const Tokenizer tokenizer(std::move(model));
  const TokenId end = *tokenizer.special_id("<end>");
  const TokenTrie trie(tokenizer, {end});
  OneText text("<end><other>");
  CHECK(texts_of(trie.allowed(text), tokenizer) == std::set<std::string>{"<", "<e"});
  OneText nothing("");
  CHECK(texts_of(trie.allowed(nothing), tokenizer) == std::set<std::string>{"<end>"});
  // A vocabulary that lacks what has to come next.
  const Tokenizer letters(characters_model("ab"));
  const TokenTrie few(letters, {});
  OneText c("c");
  CHECK_THROWS_WITH(few.allowed(c), contains("allows no token here"));
}

TEST_CASE("constraint: a mask leaves allowed logits as they are, and none beyond its vocabulary") {
  TokenSet set(130);
  for (const TokenId token : {0, 63, 64, 129}) set.add(token);
  CHECK(set.count() == 4);
  Array<real, 1> logits = random_array<1>({200}, 3);
  const Array<real, 1> before = logits;
  set.mask(view(logits));
  for (size_t i = 0; i < 200; ++i) {
    CAPTURE(i);
    if (set.contains(static_cast<TokenId>(i)))
      CHECK(logits(i) == before(i));
    else
      CHECK(logits(i) == -std::numeric_limits<real>::infinity());
  }
}

TEST_CASE("constraint: texts of a random model fit the schema, one by one and side by side") {
  const LlamaParameters weights = talkative();
  const Tokenizer tokenizer(bytes_model({"<begin>", "<end>"}));
  const std::vector<TokenId> ends = {*tokenizer.special_id("<end>")}, prompt = tokenizer.encode("Say: ");
  const auto trie = std::make_shared<TokenTrie>(tokenizer, ends);
  std::vector<TextRequest> requests;
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    TextRequest request{prompt, {.sampling = {.seed = seed}, .tokens = 200}};
    if (seed == 1) request.options.sampling.temperature = 0;
    if (seed == 2) request.options.sampling.top_p = 0.8;
    if (seed != 5)  // who asks for nothing stands beside them
      request.options.constraint = std::make_shared<SchemaConstraint>(trie, parse_schema(R"({"type": "object",
        "properties": {"good": {"type": "boolean"}, "kind": {"enum": ["kite", "kit", "boat"]},
                       "name": {"type": "string", "maxLength": 3}}, "required": ["good", "kind"]})"));
    requests.push_back(request);
  }
  BatchDecoder batch(weights, 3, 256);
  const std::vector<FinishedText> texts = generate_texts(batch, tokenizer, requests, ends);
  for (size_t i = 0; i < requests.size(); ++i) {
    CAPTURE(i, texts[i].text);
    Decoder decoder(weights, 256);
    std::string alone;
    const GenerationResult result = generate_text(decoder, tokenizer, prompt, ends, requests[i].options,
                                                  [&](std::string_view part) { alone += part; });
    CHECK(alone == texts[i].text);
    CHECK(result.tokens == texts[i].result.tokens);
    if (!requests[i].options.constraint) continue;
    CHECK(result.ended);
    const auto value = nlohmann::json::parse(alone);
    CHECK((value["good"].is_boolean() && value["kind"].is_string()));
  }
  CHECK(texts[5].text.size() > 0);
}
