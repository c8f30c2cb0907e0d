// BPE training and merging: the worked example, the naive loop of the lesson, properties, and one long piece.
#include "chapters/01-bpe/train.hpp"

#include <algorithm>
#include <chrono>

#include "chapters/01-bpe/tokenizer.hpp"
#include "lib/base/file.hpp"
#include "tests/chapters/bpe_texts.hpp"
#include "tests/chapters/naive_bpe.hpp"
#include "tests/testing.hpp"

using namespace cria;

namespace {

using testing::naive_merges;
using testing::options;
using testing::random_words;
using testing::TokenPair;
using Ids = std::vector<TokenId>;

/// The merges as pairs of byte strings.
std::vector<TokenPair> merged_bytes(const BpeModel& model) {
  std::vector<TokenPair> pairs;
  for (const Merge& merge : model.merges)
    pairs.emplace_back(model.vocabulary[static_cast<std::size_t>(merge.left)],
                       model.vocabulary[static_cast<std::size_t>(merge.right)]);
  return pairs;
}

std::vector<std::string> naive_encode(const BpeModel& model, std::string_view text) {
  std::vector<std::string> tokens;
  for (testing::Word& word : testing::words_of_bytes(text, model.pattern)) {
    testing::naive_encode(word, merged_bytes(model));
    tokens.insert(tokens.end(), word.begin(), word.end());
  }
  return tokens;
}

std::vector<std::string> pieces_of(const Tokenizer& tokenizer, const Ids& ids) {
  std::vector<std::string> pieces;
  for (TokenId id : ids) pieces.emplace_back(tokenizer.piece(id));
  return pieces;
}

}  // namespace

TEST_CASE("aaabdaaabac is learned and encoded as worked by hand in the lesson") {
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
  CHECK(first_merge(Ties::greatest_bytes) == TokenPair("c", "d"));
  CHECK(first_merge(Ties::first_met) == TokenPair("a", "b"));
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

TEST_CASE("the pair that was learned first is merged first, wherever it stands and however frequent others are") {
  const Merger merger({{'b', 'c', 256}, {'a', 'b', 257}, {'c', 'd', 258}});
  Ids symbols = {'a', 'b', 'c', 'b', 'c', 'd', 'c', 'd'};
  merger.merge(symbols);
  CHECK(symbols == Ids{'a', 256, 256, 'd', 258});
}

TEST_CASE("every token of a trained vocabulary is what its own bytes encode to, and all are distinct") {
  const Tokenizer tokenizer(train_bpe(testing::random_text(20000, 5), options(1500, SplitPattern::llama3)));
  REQUIRE(tokenizer.vocabulary_size() == 1500);
  const Merger merger(tokenizer.model().merges);
  for (std::size_t id = 0; id < 1500; ++id) {
    Ids symbols;
    for (char byte : tokenizer.model().vocabulary[id]) symbols.push_back(static_cast<unsigned char>(byte));
    merger.merge(symbols);
    REQUIRE(symbols.size() == 1);
    REQUIRE(symbols[0] == static_cast<TokenId>(id));
  }
}

TEST_CASE("one piece of a megabyte is learned from in a second, as its symbols are") {
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

TEST_CASE("training from a file streams to the same merges as from memory") {
  const testing::TemporaryFolder folder;
  const std::string text = random_words(7, 30000);
  write_file_atomically(folder / "text", text);
  const BpeOptions how = options(400, SplitPattern::gpt2, {begin_of_text});
  const WordCounts streamed = count_words_in_files({folder / "text"}, how.borders(), 500);
  CHECK(train_bpe(streamed, how).merges == train_bpe(text, how).merges);
  CHECK(train_bpe_on_files({folder / "text"}, how).merges == train_bpe(text, how).merges);
}
