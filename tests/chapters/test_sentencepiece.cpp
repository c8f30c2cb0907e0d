// SentencePiece's BPE: merging by score, blanks, bytes for what has no token.
#include "tests/chapters/pieces.hpp"

using namespace cria;
using namespace cria::testing;

TEST_CASE("the pair that makes the token of the highest score merges first, the leftmost of equals") {
  const std::vector<std::pair<std::string, float>> letters{{"▁", -9}, {"a", -9}, {"b", -9}, {"c", -9}};
  const auto tokenizer = [&](std::vector<std::pair<std::string, float>> merged) {
    merged.insert(merged.begin(), letters.begin(), letters.end());
    return Tokenizer(sentencepiece_model(with_pieces(merged)));
  };
  CHECK(pieces_of(tokenizer({{"ab", -1}, {"bc", -2}}), "abc") == Pieces{" ", "ab", "c"});
  CHECK(pieces_of(tokenizer({{"ab", -2}, {"bc", -1}}), "abc") == Pieces{" ", "a", "bc"});
  CHECK(pieces_of(tokenizer({{"ab", -1}, {"bc", -1}}), "abc") == Pieces{" ", "ab", "c"});
  // However it was made: GPT-2's merges would know one way to "abc".
  CHECK(pieces_of(tokenizer({{"ab", -1}, {"bc", -2}, {"abc", -3}}), "abc") == Pieces{" ", "abc"});
  CHECK(pieces_of(tokenizer({{"ab", -2}, {"bc", -1}, {"abc", -3}}), "abc") == Pieces{" ", "abc"});
}

TEST_CASE("a text begins with a blank that decoding drops, and blanks survive") {
  const Tokenizer tokenizer(sentencepiece_model(with_pieces({{"▁", -1}, {"a", -2}, {"▁a", -3}, {"▁▁", -4}})));
  CHECK(pieces_of(tokenizer, "a a") == Pieces{" a", " a"});
  CHECK(pieces_of(tokenizer, " a") == Pieces{" ", " a"});
  CHECK(pieces_of(tokenizer, "a▁a") == Pieces{" a", " a"});
  CHECK(pieces_of(tokenizer, "").empty());
  for (const std::string text : {"a", " a", "  a a  ", "\n", "aé", "\xff"}) {
    INFO(text);
    CHECK(tokenizer.decode(tokenizer.encode(text)) == text);
  }
  CHECK(tokenizer.decode(tokenizer.encode("<s>a", SpecialText::parse)) == "<s>a");
  CHECK(pieces_of(tokenizer, "<s>").size() == 4);  // typed, it is text: a blank and three bytes
}

TEST_CASE("blanks collapse where the model says so") {
  SentencePieces pieces = with_pieces({{"▁", -1}, {"a", -2}});
  pieces.collapses_blanks = true;
  const Tokenizer tokenizer(sentencepiece_model(pieces));
  CHECK(pieces_of(tokenizer, "  a   a ") == Pieces{" ", "a", " ", "a"});
  CHECK(pieces_of(tokenizer, "   ").empty());
}

TEST_CASE("a character without a token becomes its bytes, or unknown") {
  const std::vector<std::pair<std::string, float>> pieces{{"▁", -1}, {"a", -2}};
  const Tokenizer with_bytes(sentencepiece_model(with_pieces(pieces)));
  CHECK(with_bytes.encode("aé<") == std::vector<TokenId>{259, 260, 3 + 0xC3, 3 + 0xA9, 3 + '<'});
  const Tokenizer without(sentencepiece_model(with_pieces(pieces, false)));
  CHECK(without.encode("aéea") == std::vector<TokenId>{3, 4, 0, 4});
}

TEST_CASE("cutting where nothing merges changes nothing") {
  const Scores letters{{"▁", -9}, {"a", -9}, {"b", -9}, {"é", -9}, {"è", -9}, {".", -9}};
  const Scores merged{{"▁a", -1}, {"ab", -2}, {"▁▁", -3}, {"éa", -4}, {"b▁a", -5}, {"aé", -6}, {"..", -7}};
  Random random(1);
  for (const bool bytes : {true, false})
    for (size_t some = 0; some < 1u << merged.size(); some += 3) {
      Scores pieces = letters;
      for (size_t i = 0; i < merged.size(); ++i)
        if (some >> i & 1) pieces.push_back(merged[i]);
      const BpeModel model = sentencepiece_model(with_pieces(pieces, bytes));
      const Tokenizer tokenizer(model);
      const Merger merger(model);
      for (int i = 0; i < 30; ++i) {
        std::string text;
        for (size_t size = random.below(20); text.size() < size;)
          text += Pieces{"a", "b", " ", " ", "é", "è", ".", "\n", "ü", "\xC3"}[random.below(10)];
        INFO('"' << text << '"');
        // Merged as a whole: each character by itself gives its tokens, unless unknown ones in a row are one.
        std::vector<TokenId> whole;
        const std::string blanks = with_blanks(text, true, *model.sentencepiece);
        for (size_t at = 0, size; at < blanks.size(); at += size) {
          size = character_at(blanks, at).size;
          const size_t id = model.vocabulary.find(blanks.substr(at, size));
          if (id != ByteStrings::npos)
            whole.push_back(TokenId(id));
          else if (!bytes && (whole.empty() || whole.back() != 0))
            whole.push_back(0);
          else if (bytes)
            for (const char byte : blanks.substr(at, size)) whole.push_back(3 + static_cast<unsigned char>(byte));
        }
        merger.merge(whole);
        CHECK(tokenizer.encode(text) == whole);
      }
    }
}

TEST_CASE("a text is cut where no piece reaches across, and nowhere else") {
  const MergeBorders borders(
      sentencepiece_model(with_pieces({{"▁", -9}, {"a", -9}, {"é", -9}, {"▁a", -1}, {"aé", -2}})));
  const auto parts_of = [&](std::string_view text) {
    Pieces parts;
    for (size_t begin = 0, end; begin < text.size(); begin = end) {
      end = borders.part_end(text, begin);
      parts.emplace_back(text.substr(begin, end - begin));
    }
    return parts;
  };
  CHECK(parts_of(" a aé\n.ü  a") == Pieces{" a", " aé", "\n", ".", "ü", " ", " a"});
}

TEST_CASE("pieces that make no model are refused") {
  CHECK_THROWS_WITH(sentencepiece_model(with_pieces({{"a", -1}, {"a", -2}})), contains("there twice"));
  SentencePieces pieces = with_pieces({});
  pieces.pieces.pop_back();
  CHECK_THROWS_WITH(sentencepiece_model(pieces), contains("lack 1 of the 256 bytes"));
  pieces.pieces.push_back({"<0xZZ>", 0, SentencePieces::Kind::byte});
  CHECK_THROWS_WITH(sentencepiece_model(pieces), contains("expected one like <0x0A>"));
}
