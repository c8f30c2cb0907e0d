// Learning SentencePiece models. tests/app/sentencepiece_oracle.py compares with the sentencepiece library.
#include "chapters/01-bpe/train_sentencepiece.hpp"

#include <set>

#include "chapters/01-bpe/script.hpp"
#include "lib/base/file.hpp"
#include "tests/chapters/bpe_texts.hpp"
#include "tests/chapters/naive_bpe.hpp"
#include "tests/chapters/pieces.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

SentencePieces learn(std::string_view text, std::size_t learned, SentencePieceOptions options = {}) {
  WordCounts words;
  count_words(text, options.borders(), words);
  std::set<std::string> characters;
  for (std::size_t i = 0; i < words.words.size(); ++i)
    for (std::size_t at = 0, size; at < words.words[i].size(); at += size) {
      size = character_at(words.words[i], at).size;
      characters.insert(std::string(words.words[i].substr(at, size)));
    }
  options.vocabulary_size = 3 + options.special_tokens.size() + 256 + characters.size() + learned;
  return train_sentencepiece(words, options);
}

/// The pieces that are neither special nor bytes, in order.
Pieces plain(const SentencePieces& pieces) {
  Pieces texts;
  for (const auto& piece : pieces.pieces)
    if (piece.kind == SentencePieces::Kind::normal) texts.push_back(piece.text);
  return texts;
}

/// By the definition: the most frequent pair that may be a piece and is none yet; of several the one with the fewest
/// characters, then the least bytes.
Pieces naive_pieces(std::string_view text, std::size_t wanted) {
  std::vector<Word> words;
  WordCounts counted;
  count_words(text, SentencePieceOptions().borders(), counted);
  for (std::size_t i = 0; i < counted.words.size(); ++i)
    for (std::int64_t times = 0; times < counted.counts[i]; ++times) {
      words.emplace_back();
      for (std::size_t at = 0; at < counted.words[i].size(); at += words.back().back().size())
        words.back().emplace_back(counted.words[i].substr(at, character_at(counted.words[i], at).size));
    }
  Pieces pieces;
  while (pieces.size() < wanted) {
    std::map<TokenPair, int> counts;
    for (const Word& word : words)
      for (std::size_t i = 0; i + 1 < word.size(); ++i) {
        const std::string piece = with_written_blanks(word[i] + word[i + 1]);
        if (piece.find('\t') == std::string::npos && may_be_piece(word[i], word[i + 1]) &&
            std::ranges::find(pieces, piece) == pieces.end())
          ++counts[{word[i], word[i + 1]}];
      }
    if (counts.empty()) break;
    const auto best = std::ranges::min_element(counts, {}, [](const auto& entry) {
      const std::string piece = with_written_blanks(entry.first.first + entry.first.second);
      return std::tuple(-entry.second, count_characters(piece), piece);
    });
    pieces.push_back(with_written_blanks(best->first.first + best->first.second));
    for (Word& word : words) merge_everywhere(word, best->first);
  }
  return pieces;
}

}  // namespace

TEST_CASE("a small text's pieces are learned as worked by hand in the lesson") {
  const SentencePieces pieces = learn("hug pug\nhug hugs\n", 4);
  CHECK(plain(pieces) == Pieces{"ug", "▁h", "▁hug", "▁p", "g", "u", "▁", "h", "p", "s"});
  CHECK(pieces.pieces[0].text == "<unk>");
  CHECK(pieces.pieces[2].text == "</s>");
  CHECK(pieces.pieces[3 + '\n'].text == "<0x0A>");
  CHECK(pieces.pieces[259].score == 0);
  CHECK(pieces.pieces[260].score == -1);
  CHECK(pieces.pieces.back().score == -9);
  CHECK(pieces_of(Tokenizer(sentencepiece_model(pieces)), "pugs hug\n") == Pieces{" p", "ug", "s", " hug", "\n"});
}

TEST_CASE("pieces are learned as the definition says") {
  for (const std::uint64_t seed : {1, 2, 3, 4}) {
    INFO("seed " << seed);
    const std::string words = random_words(seed, 400), text = random_text(400, seed);
    for (const std::string& one : {words, text, words + "\n  " + words.substr(0, 50) + "   x"}) {
      SentencePieceOptions all;
      all.coverage = 1;
      const Pieces expected = naive_pieces(one, 60);
      Pieces learned = plain(learn(one, 60, all));
      learned.resize(std::min(expected.size(), learned.size()));
      CHECK(learned == expected);
    }
  }
}

TEST_CASE("what may be a piece") {
  CHECK(may_be_piece("a", "b"));
  CHECK(may_be_piece(" ", "b"));
  CHECK(may_be_piece(" ", " "));
  CHECK(may_be_piece(".", ","));
  CHECK(may_be_piece(" ", "."));
  CHECK(may_be_piece("e", "\u0301"));  // a combining mark is of any script
  CHECK(may_be_piece("カ", "漢"));
  CHECK(may_be_piece("ー", "カ"));
  CHECK(may_be_piece("abcdefgh", "abcdefgh"));
  CHECK_FALSE(may_be_piece("abcdefgh", "abcdefghi"));
  CHECK_FALSE(may_be_piece("a", " "));
  CHECK_FALSE(may_be_piece("  ", "a"));
  CHECK_FALSE(may_be_piece("a", "1"));
  CHECK_FALSE(may_be_piece("1", "2"));
  CHECK_FALSE(may_be_piece(" ", "1"));
  CHECK_FALSE(may_be_piece("n", "'"));
  CHECK_FALSE(may_be_piece("a", "а"));  // Latin and Cyrillic
  CHECK_FALSE(may_be_piece("a", "漢"));
}

TEST_CASE("scripts are told apart, and punctuation is of none") {
  CHECK(script_of('a') == Script::latin);
  CHECK(script_of(0xE9) == Script::latin);
  CHECK(script_of(0x3B1) == script_of(0x1F00));
  CHECK(script_of(0x3B1) != script_of(0x430));
  CHECK(script_of(0x3042) == script_of(0x4E00));
  CHECK(script_of(0x30FC) == script_of(0x4E00));
  CHECK(script_of('.') == Script::common);
  CHECK(script_of(0x2014) == Script::common);
  CHECK(script_of(0x1F600) == Script::common);
  CHECK(script_of(0x301) == Script::inherited);
  CHECK(script_of(-1) == Script::common);
}

TEST_CASE("rare characters are left to bytes, and so are tabs and what is not UTF-8") {
  std::string text = "é";
  for (int i = 0; i < 50; ++i) text += "abab";
  SentencePieceOptions options;
  options.coverage = 0.99;
  const Pieces pieces = plain(learn(text, 2, options));
  CHECK(std::ranges::find(pieces, "é") == pieces.end());
  CHECK(std::ranges::find(pieces, "a") != pieces.end());
  options.coverage = 1;
  const Pieces all = plain(learn("é\ta\xff b", 2, options));
  CHECK(std::ranges::find(all, "é") != all.end());
  CHECK(std::ranges::find(all, "\t") == all.end());
  CHECK(std::ranges::find(all, "\xff") == all.end());
}

TEST_CASE("nothing is learned across lines, documents and special tokens") {
  SentencePieceOptions options;
  options.special_tokens = {"<x>"};
  options.separator = "|";
  const SentencePieces pieces = learn("ab\nab|ab<x>ab", 20, options);
  const Pieces expected{"ab", "▁ab", "a", "b", "▁"};
  CHECK(plain(pieces) == expected);
  CHECK(pieces.pieces[3].text == "<x>");
  CHECK(pieces.pieces[3].kind == SentencePieces::Kind::control);
  options.special_tokens = {"<s>"};
  CHECK_THROWS_WITH(learn("ab", 1, options), contains("the special token \"<s>\" is empty or a piece already"));
  CHECK_THROWS_WITH(train_sentencepiece({}, {258, {}, 1, ""}), contains("a vocabulary of 258 is too small"));
}

TEST_CASE("the words of lines are the same from a file, whatever the chunks") {
  const TemporaryFolder folder;
  const std::string text = random_text(3000, 5) + "|\r\n" + random_words(6, 500) + "\n|" + random_text(3000, 6);
  write_file_atomically(folder / "text", text);
  SentencePieceOptions options;
  options.special_tokens = {"\ns", "a a"};
  options.separator = "|";
  WordCounts whole;
  count_words(text, options.borders(), whole);
  for (const std::size_t chunk : {64, 1000, 100000}) {
    const WordCounts chunks = count_words_in_files({folder / "text"}, options.borders(), chunk);
    REQUIRE(chunks.words.size() == whole.words.size());
    CHECK(chunks.counts == whole.counts);
    for (std::size_t i = 0; i < whole.words.size(); ++i) CHECK(chunks.words[i] == whole.words[i]);
  }
}

TEST_CASE("what is written as a SentencePiece file is read as the same pieces") {
  const TemporaryFolder folder;
  SentencePieces pieces = learn("hug pug é\nhug hugs\n", 4);
  pieces.adds_blank = GENERATE(true, false);
  pieces.collapses_blanks = !pieces.adds_blank;
  write_file_atomically(folder / "tokenizer.model", sentencepiece_bytes(pieces));
  const SentencePieces read = read_sentencepiece(folder / "tokenizer.model");
  CHECK(read.adds_blank == pieces.adds_blank);
  CHECK(read.collapses_blanks == pieces.collapses_blanks);
  REQUIRE(read.pieces.size() == pieces.pieces.size());
  for (std::size_t id = 0; id < read.pieces.size(); ++id) {
    CHECK(read.pieces[id].text == pieces.pieces[id].text);
    CHECK(read.pieces[id].score == pieces.pieces[id].score);
    CHECK(read.pieces[id].kind == pieces.pieces[id].kind);
  }
}
