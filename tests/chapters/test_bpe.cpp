// BPE training and encoding: worked examples, a naive second implementation, properties, and long pieces.
#include "chapters/01-bpe/train.hpp"

#include <algorithm>
#include <chrono>
#include <map>

#include "chapters/01-bpe/tokenizer.hpp"
#include "lib/base/file.hpp"
#include "tests/chapters/bpe_texts.hpp"
#include "tests/testing.hpp"

using namespace cria;

namespace {

using Ids = std::vector<TokenId>;
using Words = std::vector<std::vector<std::string>>;

BpeOptions options(std::size_t vocabulary_size, SplitPattern pattern, std::vector<std::string> special_tokens = {},
                   Ties ties = Ties::greatest_bytes) {
  return {vocabulary_size, pattern, std::move(special_tokens), ties};
}

/// The merges as pairs of byte strings.
std::vector<std::pair<std::string, std::string>> merged_bytes(const BpeModel& model) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const Merge& merge : model.merges)
    pairs.emplace_back(model.vocabulary[static_cast<std::size_t>(merge.left)],
                       model.vocabulary[static_cast<std::size_t>(merge.right)]);
  return pairs;
}

void replace(std::vector<std::string>& word, const std::pair<std::string, std::string>& pair) {
  for (std::size_t i = 0; i + 1 < word.size(); ++i)
    if (word[i] == pair.first && word[i + 1] == pair.second) {
      word[i] += word[i + 1];
      word.erase(word.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    }
}

/// Training as the definition says: all pairs are counted afresh for each merge, in all words as they come.
std::vector<std::pair<std::string, std::string>> naive_merges(std::string_view text, SplitPattern pattern, Ties ties,
                                                              std::size_t count) {
  Words words;
  for_each_piece(pattern, text, [&](std::string_view piece) {
    words.emplace_back();
    for (char byte : piece) words.back().emplace_back(1, byte);
  });
  std::vector<std::pair<std::string, std::string>> merges;
  while (merges.size() < count) {
    std::map<std::pair<std::string, std::string>, std::pair<int, int>> seen;  // how often; minus the time first met
    for (const auto& word : words)
      for (std::size_t i = 0; i + 1 < word.size(); ++i)
        ++seen.try_emplace({word[i], word[i + 1]}, 0, -static_cast<int>(seen.size())).first->second.first;
    if (seen.empty()) break;
    auto best = seen.begin();
    for (auto pair = seen.begin(); pair != seen.end(); ++pair)  // in ascending order of the bytes
      if (pair->second.first > best->second.first ||
          (pair->second.first == best->second.first &&
           (ties == Ties::greatest_bytes || pair->second.second > best->second.second)))
        best = pair;
    merges.push_back(best->first);
    for (auto& word : words) replace(word, merges.back());
  }
  return merges;
}

/// Encoding as the definition says: every merge in turn, over the whole piece.
std::vector<std::string> naive_encode(const BpeModel& model, std::string_view text) {
  std::vector<std::string> tokens;
  for_each_piece(model.pattern, text, [&](std::string_view piece) {
    std::vector<std::string> word;
    for (char byte : piece) word.emplace_back(1, byte);
    for (const auto& merge : merged_bytes(model)) replace(word, merge);
    tokens.insert(tokens.end(), word.begin(), word.end());
  });
  return tokens;
}

std::vector<std::string> pieces_of(const Tokenizer& tokenizer, const Ids& ids) {
  std::vector<std::string> pieces;
  for (TokenId id : ids) pieces.emplace_back(tokenizer.piece(id));
  return pieces;
}

/// Words of letters from a small alphabet, so that there are many ties and runs.
std::string random_words(std::uint64_t seed, std::size_t length) {
  Random random(seed);
  std::string text;
  while (text.size() < length) text += random.below(5) == 0 ? ' ' : static_cast<char>('a' + random.below(3));
  return text;
}

}  // namespace

TEST_CASE("aaabdaaabac is learnt and encoded as worked by hand in the lesson") {
  for (Ties ties : {Ties::greatest_bytes, Ties::first_met}) {
    const Tokenizer tokenizer(train_bpe("aaabdaaabac", options(259, SplitPattern::none, {}, ties)));
    CHECK(tokenizer.model().merges == std::vector<Merge>{{97, 97, 256}, {256, 97, 257}, {257, 98, 258}});
    CHECK(tokenizer.encode("aaabdaaabac") == Ids{258, 100, 258, 97, 99});
    CHECK(tokenizer.decode(Ids{258, 100, 258, 97, 99}) == "aaabdaaabac");
    CHECK(tokenizer.encode("aaaa") == Ids{256, 256});
  }
}

TEST_CASE("of pairs with the same count the greatest bytes go first, or the pair met first") {
  const std::string text = "ab ab cd cd";  // "ab" and "cd" twice each, " ab" and " cd" less often
  const auto first_merge = [&](Ties ties) {
    return merged_bytes(train_bpe(text, options(257, SplitPattern::gpt2, {}, ties))).front();
  };
  CHECK(first_merge(Ties::greatest_bytes) == std::pair<std::string, std::string>("c", "d"));
  CHECK(first_merge(Ties::first_met) == std::pair<std::string, std::string>("a", "b"));
}

TEST_CASE("training gives the merges of the naive definition, under both rules for ties") {
  for (std::uint64_t seed = 0; seed < 30; ++seed)
    for (SplitPattern pattern : {SplitPattern::none, SplitPattern::gpt2, SplitPattern::llama3})
      for (Ties ties : {Ties::greatest_bytes, Ties::first_met}) {
        const std::string text = seed % 3 ? random_words(seed, 400) : testing::random_text(150, seed);
        REQUIRE(merged_bytes(train_bpe(text, options(256 + 60, pattern, {}, ties))) ==
                naive_merges(text, pattern, ties, 60));
      }
}

TEST_CASE("encoding gives the tokens of the naive definition, in short pieces and in long ones") {
  const Tokenizer words(train_bpe(random_words(1, 5000), options(400, SplitPattern::llama3)));
  const Tokenizer whole(train_bpe(random_words(2, 5000), options(400, SplitPattern::none)));
  for (std::uint64_t seed = 100; seed < 160; ++seed) {
    const std::string text = random_words(seed, 20 + 10 * (seed - 100));  // the heap takes over at 64 symbols
    REQUIRE(pieces_of(words, words.encode(text)) == naive_encode(words.model(), text));
    REQUIRE(pieces_of(whole, whole.encode(text)) == naive_encode(whole.model(), text));
  }
}

TEST_CASE("a piece has the same tokens in a long text, where the cache has seen it, as by itself") {
  std::string text;
  for (std::uint64_t seed = 0; seed < 300; ++seed)
    text += testing::random_text(300, seed % 200) + random_words(seed, 300);
  const Tokenizer tokenizer(train_bpe(text.substr(0, 20000), options(700, SplitPattern::llama3)));
  Ids by_piece;
  for_each_piece(SplitPattern::llama3, text, [&](std::string_view piece) {
    for (TokenId id : tokenizer.encode(piece)) by_piece.push_back(id);
  });
  CHECK(tokenizer.encode(text) == by_piece);
}

TEST_CASE("every token of a trained vocabulary is what its own bytes encode to, and all are distinct") {
  const Tokenizer tokenizer(train_bpe(testing::random_text(20000, 5), options(1500, SplitPattern::llama3)));
  REQUIRE(tokenizer.vocabulary_size() == 1500);
  const Merger merger(tokenizer.model().merges);
  for (std::size_t id = 0; id < 1500; ++id) {
    std::vector<Merger::Symbol> symbols;
    for (char byte : tokenizer.model().vocabulary[id]) symbols.push_back({.token = static_cast<unsigned char>(byte)});
    merger.merge(symbols);
    REQUIRE(symbols.size() == 1);
    REQUIRE(symbols[0].token == static_cast<TokenId>(id));
  }
}

TEST_CASE("any bytes survive encoding and decoding, with every kind of byte-level tokenizer") {
  const std::string learnt_from = testing::random_text(3000, 1);
  for (SplitPattern pattern : {SplitPattern::none, SplitPattern::gpt2, SplitPattern::llama3}) {
    const Tokenizer bpe(train_bpe(learnt_from, options(600, pattern)));
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      const std::string bytes = testing::random_bytes(500, seed), text = testing::random_text(200, seed);
      REQUIRE(bpe.decode(bpe.encode(bytes)) == bytes);
      REQUIRE(bpe.decode(bpe.encode(text)) == text);
    }
  }
  const Tokenizer plain(bytes_model());
  CHECK(plain.vocabulary_size() == 258);
  CHECK(plain.encode("\xFFz") == Ids{255, 'z'});
  CHECK(plain.decode(plain.encode(learnt_from)) == learnt_from);
  CHECK(plain.encode("").empty());
}

TEST_CASE("a character tokenizer has one token for each code point of its text, in ascending order") {
  const Tokenizer tokenizer(characters_model("zebra é zoo"));
  CHECK(tokenizer.vocabulary_size() == 8 + 2);
  CHECK(tokenizer.encode("abé ") == Ids{1, 2, 7, 0});
  CHECK(tokenizer.decode(Ids{7, 6}) == "éz");
  CHECK_THROWS_WITH(tokenizer.encode("ab!"), testing::contains("\"!\" at byte 2 is not in"));
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
  for (std::size_t id = 256; id + 2 < tokenizer.vocabulary_size(); ++id)  // nothing was learnt from the special tokens
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
    std::vector<Merger::Symbol> symbols;
    for (char byte : text) symbols.push_back({.token = static_cast<unsigned char>(byte)});
    CHECK(merger.merge(symbols) <= 3 * text.size());  // each of at most n merges offers two new pairs
    const Ids ids = tokenizer.encode(text);
    CHECK(ids.size() == symbols.size());
    CHECK(tokenizer.decode(ids) == text);
  }
}

TEST_CASE("one piece of a megabyte is learnt from in a second, as its symbols are") {
  const auto start = std::chrono::steady_clock::now();
  const BpeModel model = train_bpe(std::string(1 << 20, 'a'), options(276, SplitPattern::none));
  CHECK(model.merges.size() == 20);  // a, aa, aaaa, … up to the whole text
  CHECK(model.vocabulary[275].size() == 1 << 20);
  // Some 0.1 s here; counting all pairs anew per merge would do as well, but a quadratic step would need hours.
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
}

TEST_CASE("training stops early when no pair is left, and refuses a vocabulary without room") {
  CHECK(train_bpe("ab", options(1000, SplitPattern::none)).vocabulary.size() == 257);
  CHECK_THROWS_WITH(train_bpe("ab", options(257, SplitPattern::none, {begin_of_text, end_of_text})),
                    testing::contains("the bytes and the special tokens alone are 258"));
}

TEST_CASE("an id out of range is refused with the size of the vocabulary") {
  const Tokenizer tokenizer(bytes_model());
  for (TokenId id : {-1, 258})
    CHECK_THROWS_WITH(tokenizer.decode(Ids{65, id}), testing::contains("the vocabulary has 258 tokens"));
}

TEST_CASE("training from a file streams to the same merges as from memory") {
  const testing::TemporaryFolder folder;
  const std::string text = random_words(7, 30000);
  write_file_atomically(folder / "text", text);
  const BpeOptions how = options(400, SplitPattern::gpt2, {begin_of_text});
  const WordCounts streamed = count_words_in_file(folder / "text", how.pattern, SpecialTokens(how.special_tokens), 500);
  CHECK(train_bpe(streamed, how).merges == train_bpe(text, how).merges);
  CHECK(train_bpe_on_file(folder / "text", how).merges == train_bpe(text, how).merges);
}
