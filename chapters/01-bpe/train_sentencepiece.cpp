// Learning a SentencePiece model: counts the characters, learns merges of them, and numbers the pieces.
#include "chapters/01-bpe/train_sentencepiece.hpp"

#include <algorithm>
#include <set>

#include "chapters/01-bpe/script.hpp"
#include "chapters/01-bpe/sentencepiece.hpp"
#include "chapters/01-bpe/train.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace {

using PieceKind = SentencePieces::Kind;

struct CountedCharacter {
  std::string bytes;
  std::int32_t code_point;
  std::int64_t count;
};

/// The most frequent characters, as many as cover this share of the text; of equally frequent ones the lower code point
/// first. A tab never gets a piece, and neither do bytes that are not UTF-8.
std::vector<CountedCharacter> covering_characters(const WordCounts& words, double coverage) {
  WordCounts counts;
  for (std::size_t word = 0; word < words.words.size(); ++word)
    for (std::size_t at = 0, size; at < words.words[word].size(); at += size) {
      size = character_at(words.words[word], at).size;
      counts.add(words.words[word].substr(at, size), words.counts[word]);
    }
  std::vector<CountedCharacter> all, covering;
  std::int64_t total = 0, covered = 0;
  for (std::size_t i = 0; i < counts.words.size(); ++i) {
    const std::int32_t code_point = character_at(with_written_blanks(counts.words[i]), 0).code_point;
    if (code_point <= 0) continue;
    all.push_back({std::string(counts.words[i]), code_point, counts.counts[i]});
    total += counts.counts[i];
  }
  std::ranges::sort(all, [](const CountedCharacter& a, const CountedCharacter& b) {
    return a.count != b.count ? a.count > b.count : a.code_point < b.code_point;
  });
  for (const CountedCharacter& character : all) {
    if (static_cast<double>(covered) >= coverage * static_cast<double>(total)) break;
    covered += character.count;
    if (character.bytes != "\t") covering.push_back(character);
  }
  return covering;
}

}  // namespace

bool may_be_piece(std::string_view left, std::string_view right) {
  constexpr std::size_t longest = 16;
  const std::string piece = std::string(left).append(right);
  if (count_characters(piece) > longest) return false;
  const std::size_t word = piece.find_first_not_of(' ');
  if (word == std::string::npos) return true;
  if (word > 1 || piece.find(' ', word) != std::string::npos) return false;
  std::optional<Script> last;
  for (std::size_t at = word; at < piece.size();) {
    const Character character = character_at(piece, at);
    const std::int32_t c = character.code_point;
    if ((c >= '0' && c <= '9') || (c >= 0xFF10 && c <= 0xFF19)) return false;
    const Script script = script_of(c);
    if (script != Script::inherited) {
      if (last && *last != script) return false;
      last = script;
    }
    at += character.size;
  }
  return true;
}

SentencePieces train_sentencepiece(const WordCounts& words, const SentencePieceOptions& options) {
  SentencePieces out;
  const auto add = [&](const std::string& text, float score, PieceKind kind) {
    out.pieces.push_back({text, score, kind});
  };
  add("<unk>", 0, PieceKind::unknown);
  add("<s>", 0, PieceKind::control);
  add("</s>", 0, PieceKind::control);
  for (const std::string& token : options.special_tokens) add(token, 0, PieceKind::control);
  for (std::size_t byte = 0; byte < 256; ++byte) add(piece_of_byte(byte), 0, PieceKind::byte);

  BpeModel learned;
  learned.alphabet = Alphabet::characters;
  const std::vector<CountedCharacter> characters = covering_characters(words, options.coverage);
  for (const CountedCharacter& character : characters) learned.vocabulary.insert(character.bytes);
  const std::size_t smallest = out.pieces.size() + characters.size();
  if (options.vocabulary_size < smallest)
    throw UserError("a vocabulary of " + std::to_string(options.vocabulary_size) +
                    " is too small: special tokens, the " + "256 bytes and the text's " +
                    std::to_string(characters.size()) + " characters alone are " + std::to_string(smallest));
  learn_merges(words, Ties::shortest, options.vocabulary_size - smallest, learned, may_be_piece);

  float score = 0;
  for (const Merge& merge : learned.merges)
    add(with_written_blanks(learned.vocabulary[static_cast<std::size_t>(merge.result)]), score--, PieceKind::normal);
  for (const CountedCharacter& character : characters)
    add(with_written_blanks(character.bytes), score--, PieceKind::normal);
  std::set<std::string_view> texts;
  for (const SentencePieces::Piece& piece : out.pieces)
    if (piece.text.empty() || !texts.insert(piece.text).second)
      throw UserError("the special token " + in_quotes(piece.text) + " is empty or a piece already");
  return out;
}

}  // namespace cria
