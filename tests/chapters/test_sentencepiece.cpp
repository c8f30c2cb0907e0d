// SentencePiece's BPE: merging by score, blanks, bytes for what has no token.
#include <cmath>

#include "lib/base/file.hpp"
#include "tests/apart.hpp"
#include "tests/chapters/pieces.hpp"
#include "tests/lib/sentencepiece_draft.hpp"

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

namespace {

/// What the reader says of these bytes; nothing when it takes them.
template <class Read>
std::string refusal(Read read, const std::string& bytes) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "tokenizer", bytes);
  try {
    sentencepiece_model(read(folder / "tokenizer"));
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("every fault of a SentencePiece model is named") {
  CHECK(refusal(read_sentencepiece, SentencePieceDraft().model()) == "");
  CHECK(refusal(read_sentencepiece, SentencePieceDraft{.bytes = false}.model()) == "");
  const std::vector<std::pair<std::string, std::string>> faults{
      {SentencePieceDraft{.model_type = 1}.model(), "type Unigram, expected BPE"},
      {SentencePieceDraft{.normaliser = "nmt\nnfkc"}.model(), "normalises text by \"nmt\\nnfkc\""},
      {SentencePieceDraft{.pieces = {{"a", 0}, {"a", 0}}}.model(), "there twice"},
      {SentencePieceDraft{.pieces = {{"", 0}}}.model(), "is empty"},
      {SentencePieceDraft{.pieces = {{"a", NAN}}}.model(), "a score that is no number"},
      {SentencePieceDraft{.pieces = {{std::string(513, 'a'), 0}}}.model(), "513 bytes, expected at most 512"},
      {SentencePieceDraft{.end = "\x0b"}.model(), "unknown kind of field"},
      {SentencePieceDraft{.end = "\x0a\xff\xff\xff\xff\x0f"}.model(), "ends within a field"},
      {SentencePieceDraft{.end = std::string(12, '\xff')}.model(), "a number has no end"},
      {"", "no pieces"}};
  for (const auto& [bytes, expected] : faults) {
    INFO(expected);
    CHECK_THAT(refusal(read_sentencepiece, bytes), contains(expected));
  }
  const std::string whole = SentencePieceDraft{.bytes = false}.model();
  for (size_t size = 0; size < whole.size(); ++size) refusal(read_sentencepiece, whole.substr(0, size));  // no crash
}

TEST_CASE("every fault of llama2.c's tokenizer is named") {
  CHECK(refusal(read_llama2c_tokenizer, SentencePieceDraft().llama2c()) == "");
  const std::string whole = SentencePieceDraft{.pieces = {{"ab", 0}}}.llama2c();
  CHECK_THAT(refusal(read_llama2c_tokenizer, whole.substr(0, 3)), contains("too short"));
  CHECK_THAT(refusal(read_llama2c_tokenizer, whole.substr(0, whole.size() - 2)), contains("token 259 has 2 bytes"));
  CHECK_THAT(refusal(read_llama2c_tokenizer, whole.substr(0, whole.size() - 3)), contains("ends within token 259"));
  CHECK_THAT(refusal(read_llama2c_tokenizer, whole.substr(0, 1000)), contains("token"));
}

TEST_CASE("a vocabulary that is made to cost much is refused in 2 s and 256 MB") {
  const TemporaryFolder folder;
  const auto path = folder / "tokenizer.model";
  const auto check = [&](const std::vector<std::pair<std::string, float>>& pieces, const std::string& reason) {
    write_file_atomically(path, SentencePieceDraft{.pieces = pieces}.model());
    const Apart read = run_apart([&] { sentencepiece_model(read_sentencepiece(path)); });
    CAPTURE(read.message);
    CHECK(fault_of(read) == "");
    CHECK(read.code == 2);
    CHECK_THAT(read.message, contains(reason));
  };
  // Each letter's row of tokens can be cut in 131,000 ways.
  std::vector<std::pair<std::string, float>> rows;
  for (char letter = 'a'; letter < 'a' + 20; ++letter)
    for (size_t size = 1; size <= 512; ++size) rows.emplace_back(std::string(size, letter), 0.f);
  check(rows, "cut in too many ways");
  check({{std::string(15 << 20, 'a'), 0}}, "bytes, expected at most 512");
  std::vector<std::pair<std::string, float>> many;
  for (int i = 0; i < (1 << 20); ++i) many.emplace_back(std::to_string(i), 0.f);
  check(many, "is too long: expected at most 16777216 bytes");
}
