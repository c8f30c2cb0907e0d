// From pieces with scores to a model whose merges are in the order of scores.
#include "chapters/01-bpe/sentencepiece.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <tuple>

#include "chapters/01-bpe/cuts.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace {

constexpr std::string_view hexadecimal_digits = "0123456789ABCDEF";

/// Code Llama's tokenizer.model has its marks as ordinary pieces, which a text could become.
bool is_mark(std::string_view piece) {
  constexpr std::string_view marks[] = {"▁<PRE>", "▁<SUF>", "▁<MID>", "▁<EOT>", "<step>"};
  return std::ranges::find(marks, piece) != std::end(marks);
}

/// Every pair of tokens that together are a token, in the order of scores; of equal ones those with more characters on
/// the left go first, as transformers' converter writes them.
std::vector<Merge> merges_by_score(const BpeModel& model, const std::vector<bool>& mergeable) {
  const ByteStrings& vocabulary = model.vocabulary;
  const auto token = [&](std::string_view bytes) {
    const std::size_t id = vocabulary.find(bytes);
    return id != ByteStrings::npos && mergeable[id] ? static_cast<TokenId>(id) : TokenId{-1};
  };
  std::vector<Merge> merges;
  for (std::size_t id = 0; id < vocabulary.size(); ++id) {
    if (!mergeable[id]) continue;
    const std::string_view whole = vocabulary[id];
    for (std::size_t at = character_at(whole, 0).size; at < whole.size(); at += character_at(whole, at).size) {
      const TokenId left = token(whole.substr(0, at)), right = token(whole.substr(at));
      if (left >= 0 && right >= 0) merges.push_back({left, right, static_cast<TokenId>(id)});
    }
    require_few_cuts(merges.size());
  }
  const auto length = [&](TokenId id) { return count_characters(vocabulary[static_cast<std::size_t>(id)]); };
  const std::vector<float>& scores = model.sentencepiece->scores;
  std::ranges::stable_sort(merges, std::greater<>(), [&](const Merge& merge) {
    return std::tuple(scores[static_cast<std::size_t>(merge.result)], length(merge.left), length(merge.right));
  });
  return merges;
}

}  // namespace

std::string with_written_blanks(std::string_view piece) {
  std::string out;
  for (const char c : piece) c == ' ' ? out += written_blank : out += c;
  return out;
}

std::string with_plain_blanks(std::string_view piece) {
  std::string out;
  out.reserve(piece.size() + 1);
  for (std::size_t at = 0; at < piece.size();) {
    const std::size_t found = std::min(piece.find(written_blank, at), piece.size());
    out += piece.substr(at, found - at);
    if (found < piece.size()) out += ' ';
    at = found + std::string_view(written_blank).size();
  }
  return out;
}

std::optional<std::size_t> byte_of_piece(std::string_view piece) {
  if (piece.size() != 6 || !piece.starts_with("<0x") || piece[5] != '>') return std::nullopt;
  const std::size_t high = hexadecimal_digits.find(piece[3]), low = hexadecimal_digits.find(piece[4]);
  if (std::max(high, low) > 15) return std::nullopt;
  return high << 4 | low;
}

std::string piece_of_byte(std::size_t byte) {
  return std::string("<0x") + hexadecimal_digits[byte >> 4] + hexadecimal_digits[byte & 15] + '>';
}

BpeModel sentencepiece_model(const SentencePieces& pieces) {
  using Kind = SentencePieces::Kind;
  BpeModel model;
  model.alphabet = Alphabet::characters;
  SentencePieceRules& rules = model.sentencepiece.emplace();
  rules.adds_blank = pieces.adds_blank, rules.collapses_blanks = pieces.collapses_blanks;
  std::vector<TokenId> bytes(256, -1);
  std::vector<bool> mergeable(pieces.pieces.size());
  for (const SentencePieces::Piece& piece : pieces.pieces) {
    const auto id = static_cast<TokenId>(model.vocabulary.size());
    const bool plain = (piece.kind == Kind::normal || piece.kind == Kind::user_defined) && !is_mark(piece.text);
    const std::string text = plain ? with_plain_blanks(piece.text) : piece.text;
    if (text.empty() || model.vocabulary.insert(text) != static_cast<std::size_t>(id))
      throw UserError("piece " + std::to_string(id) + " is empty or there twice");
    if (std::isnan(piece.score)) throw UserError("piece " + std::to_string(id) + " has a score that is no number");
    rules.scores.push_back(piece.score);
    mergeable[static_cast<std::size_t>(id)] = plain;
    if (piece.kind == Kind::byte) {
      const auto byte = byte_of_piece(piece.text);
      if (!byte)
        throw UserError("the piece " + in_quotes(piece.text) + " is said to be a byte, expected one like <0x0A>");
      bytes[*byte] = id;
    }
    if (piece.kind == Kind::unknown) rules.unknown = id;
    if (!plain && piece.kind != Kind::byte) model.special_tokens.push_back(id);
  }
  const auto missing = std::ranges::count(bytes, -1);
  if (missing == 0) rules.byte_tokens = std::move(bytes);
  if (missing != 0 && missing != 256)
    throw UserError("the pieces lack " + std::to_string(missing) + " of the 256 bytes, expected all of them or none");
  require_cuttable(model.vocabulary);
  model.merges = merges_by_score(model, mergeable);
  return model;
}

std::string with_blanks(std::string_view text, bool in_front, const SentencePieceRules& rules) {
  std::string out;
  if (rules.collapses_blanks) {
    out = text;
    const auto both_blank = [](char a, char b) { return a == ' ' && b == ' '; };
    out.erase(std::unique(out.begin(), out.end(), both_blank), out.end());
    if (out.ends_with(' ')) out.pop_back();
    if (out.starts_with(' ')) out.erase(0, 1);
    text = out;
  }
  out = with_plain_blanks(text);
  const bool here = rules.adds_blank && (in_front || rules.adds_behind_specials);
  if (here && !out.empty() && !(rules.adds_only_where_none && out.starts_with(' '))) out.insert(out.begin(), ' ');
  return out;
}

}  // namespace cria
