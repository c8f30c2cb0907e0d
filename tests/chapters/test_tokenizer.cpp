// The tokenizer: any bytes survive, special tokens, characters, long pieces, and what is refused.
#include "chapters/01-bpe/tokenizer.hpp"

#include "chapters/01-bpe/train.hpp"
#include "tests/chapters/bpe_texts.hpp"
#include "tests/testing.hpp"

using namespace cria;
using testing::options;
using testing::random_words;
using Ids = std::vector<TokenId>;

TEST_CASE("any bytes survive encoding and decoding, with every kind of byte-level tokenizer") {
  const std::string learned_from = testing::random_text(3000, 1);
  for (SplitPattern pattern : {SplitPattern::none, SplitPattern::gpt2, SplitPattern::llama3}) {
    const Tokenizer bpe(train_bpe(learned_from, options(600, pattern)));
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      const std::string bytes = testing::random_bytes(500, seed), text = testing::random_text(200, seed);
      REQUIRE(bpe.decode(bpe.encode(bytes)) == bytes);
      REQUIRE(bpe.decode(bpe.encode(text)) == text);
    }
  }
  const Tokenizer plain(bytes_model());
  CHECK(plain.vocabulary_size() == 258);
  CHECK(plain.encode("\xFFz") == Ids{255, 'z'});
  CHECK(plain.decode(plain.encode(learned_from)) == learned_from);
  CHECK(plain.encode("").empty());
}

TEST_CASE("a character tokenizer has one token for each code point of its text, in ascending order") {
  const Tokenizer tokenizer(characters_model("zebra é zoo"));
  CHECK(tokenizer.vocabulary_size() == 8 + 2);
  CHECK(tokenizer.encode("abé ") == Ids{1, 2, 7, 0});
  CHECK(tokenizer.decode(Ids{7, 6}) == "éz");
  CHECK_THROWS_WITH(tokenizer.encode("ab!"), testing::contains("\"!\" at byte 2 of \"ab!\" is not in"));
  CHECK_THROWS_WITH(characters_model("ab\xFF"), testing::contains("byte 2 is not UTF-8"));
}

TEST_CASE("special tokens end the vocabulary and are parsed only when asked for") {
  const std::string text = "one two<|end_of_text|>two one<|begin_of_text|>";
  const Tokenizer tokenizer(train_bpe(text, options(300, SplitPattern::llama3, {begin_of_text, end_of_text})));
  const auto size = static_cast<TokenId>(tokenizer.vocabulary_size());
  CHECK(tokenizer.bos_id() == size - 2);
  CHECK(tokenizer.eos_id() == size - 1);
  CHECK(tokenizer.is_special(size - 1));
  CHECK(!tokenizer.is_special(size - 3));

  const Ids parsed = tokenizer.encode(text, SpecialText::parse), plain = tokenizer.encode(text);
  CHECK(std::count(parsed.begin(), parsed.end(), *tokenizer.eos_id()) == 1);
  CHECK(parsed.back() == *tokenizer.bos_id());
  for (TokenId id : plain) CHECK(!tokenizer.is_special(id));
  CHECK(tokenizer.decode(parsed) == text);
  CHECK(tokenizer.decode(plain) == text);
  for (std::size_t id = 256; id + 2 < tokenizer.vocabulary_size(); ++id)  // nothing was learned from the special tokens
    CHECK(tokenizer.piece(static_cast<TokenId>(id)).find('|') == std::string_view::npos);

  // Also where the whole text is one piece, and so is looked up in the vocabulary.
  const Tokenizer whole(bytes_model());
  CHECK(whole.encode("<|end_of_text|>").size() == 15);
  CHECK(whole.encode("<|end_of_text|>", SpecialText::parse) == Ids{257});
}

TEST_CASE("of special tokens that begin alike the longest is meant") {
  const Tokenizer tokenizer(bytes_model({"<s", "<s>", "<s>>"}));
  CHECK(tokenizer.encode("<s>>a<s<s>", SpecialText::parse) == Ids{258, 'a', 256, 257});
}

TEST_CASE("an empty special token is refused before a text is searched for it") {
  CHECK_THROWS_WITH(SpecialTokens({"<s>", ""}), testing::contains("a special token must not be empty"));
  CHECK_THROWS_WITH(bytes_model({""}), testing::contains("a special token must not be empty"));
}

TEST_CASE("a byte that the vocabulary lacks is refused where a text has it, and no sooner") {
  BpeModel model;
  for (const char* token : {"a", "b", "\xC3", "ab", "abb", "cd"}) model.vocabulary.insert(token);
  model.merges = {{0, 1, 3}, {3, 1, 4}};
  const Tokenizer tokenizer(model);
  CHECK(tokenizer.encode("abbaab") == Ids{4, 0, 3});
  CHECK_THROWS_AS(tokenizer.encode("abcd"), UserError);
  CHECK_THROWS_WITH(tokenizer.encode("abcd"),
                    testing::contains("the byte \"c\" at byte 2 of \"abcd\" is not in this tokenizer's vocabulary"));
  CHECK_THROWS_WITH(tokenizer.encode("aé"), testing::contains("the byte \"\\xa9\" at byte 2 of \"aé\""));
  CHECK_THROWS_WITH(tokenizer.encode("cd"), testing::contains("the byte \"c\""));  // its token cannot be reached
}

TEST_CASE("a tokenizer that composes characters reads all forms of a text alike") {
  BpeModel model = bytes_model({"e\u0301"});
  model.composes = true;
  const Tokenizer tokenizer(model);
  CHECK(tokenizer.decode(tokenizer.encode("e\u0301")) == "é");
  CHECK(tokenizer.decode(tokenizer.encode("\u1112\u1161\u11AB\xFF\xFE A\u030A\xCC")) == "\uD55C\xFF\xFE \u00C5\xCC");
  CHECK(tokenizer.decode(tokenizer.encode("\u212B \uFB01")) == "\u00C5 \uFB01");  // one way only; no compatibility
  CHECK(tokenizer.encode("e\u0301", SpecialText::parse) == Ids{256});             // special tokens are found before
}

TEST_CASE("a token that merging cannot reach is only used where the file says to ignore merges") {
  BpeModel model = bytes_model({});
  const auto ab = static_cast<TokenId>(model.vocabulary.insert("ab"));
  const auto abc = static_cast<TokenId>(model.vocabulary.insert("abc"));  // and no merge that makes it
  model.merges = {{'a', 'b', ab}};
  CHECK(Tokenizer(model).encode("abc") == Ids{ab, 'c'});
  model.ignore_merges = true;
  CHECK(Tokenizer(model).encode("abc") == Ids{abc});
}

TEST_CASE("one piece of a megabyte takes a number of steps that grows as its length") {
  const Tokenizer tokenizer(train_bpe(random_words(3, 20000), options(500, SplitPattern::none)));
  const Merger merger(tokenizer.model().merges);
  for (const std::string& text : {random_words(4, 1 << 20), std::string(1 << 20, 'a'), std::string(1 << 20, '!')}) {
    Ids symbols;
    for (char byte : text) symbols.push_back(static_cast<unsigned char>(byte));
    CHECK(merger.merge(symbols) <= 3 * text.size());  // each of at most n merges offers two new pairs
    const Ids ids = tokenizer.encode(text);
    CHECK(ids.size() == symbols.size());
    CHECK(tokenizer.decode(ids) == text);
  }
}

TEST_CASE("an id out of range is refused with the size of the vocabulary") {
  const Tokenizer tokenizer(bytes_model());
  for (TokenId id : {-1, 258})
    CHECK_THROWS_WITH(tokenizer.decode(Ids{65, id}), testing::contains("the vocabulary has 258 tokens"));
}
