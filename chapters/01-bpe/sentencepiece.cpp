// From pieces with scores to a model whose merges are in the order of scores.
#include "chapters/01-bpe/sentencepiece.hpp"

#include <algorithm>
#include <cstdio>

#include "lib/base/check.hpp"

namespace cria {
namespace {

constexpr std::string_view written_blank = "\u2581";

std::string replaced(std::string_view text, std::string_view from, char to) {
  std::string out;
  out.reserve(text.size() + 1);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t found = std::min(text.find(from, at), text.size());
    out += text.substr(at, found - at);
    if (found < text.size()) out += to;
    at = found + from.size();
  }
  return out;
}

/// The byte of a piece "<0x0A>".
std::size_t byte_of(const std::string& piece) {
  unsigned byte = 0;
  int end = 0;
  if (std::sscanf(piece.c_str(), "<0x%2X>%n", &byte, &end) != 1 || end != 6 || piece.size() != 6)
    throw UserError("the piece \"" + piece + "\" is said to be a byte, expected one like <0x0A>");
  return byte;
}

/// Every pair of tokens that together are a token, in the order of scores.
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
  }
  const std::vector<float>& scores = model.sentencepiece->scores;
  std::ranges::stable_sort(merges, std::greater<>(),
                           [&](const Merge& merge) { return scores[static_cast<std::size_t>(merge.result)]; });
  return merges;
}

/// Whether no token has a blank behind another character, so that a text may be cut in front of its blanks.
bool blanks_begin_tokens(const ByteStrings& vocabulary, const std::vector<bool>& mergeable) {
  for (std::size_t id = 0; id < vocabulary.size(); ++id) {
    const std::string_view token = vocabulary[id];
    for (std::size_t at = 1; at < token.size() && mergeable[id]; ++at)
      if (token[at] == ' ' && token[at - 1] != ' ') return false;
  }
  return true;
}

}  // namespace

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
    const bool plain = piece.kind == Kind::normal || piece.kind == Kind::user_defined;
    const std::string text = plain ? replaced(piece.text, written_blank, ' ') : piece.text;
    if (text.empty() || model.vocabulary.insert(text) != static_cast<std::size_t>(id))
      throw UserError("piece " + std::to_string(id) + " is empty or there twice");
    rules.scores.push_back(piece.score);
    mergeable[static_cast<std::size_t>(id)] = plain;
    if (piece.kind == Kind::byte) bytes[byte_of(piece.text)] = id;
    if (piece.kind == Kind::unknown) rules.unknown = id;
    if (piece.kind == Kind::unknown || piece.kind == Kind::control || piece.kind == Kind::unused)
      model.special_tokens.push_back(id);
  }
  const auto missing = std::ranges::count(bytes, -1);
  if (missing == 0) rules.byte_tokens = std::move(bytes);
  if (missing != 0 && missing != 256)
    throw UserError("the pieces lack " + std::to_string(missing) + " of the 256 bytes, expected all of them or none");
  if (blanks_begin_tokens(model.vocabulary, mergeable)) model.pattern = SplitPattern::blanks;
  model.merges = merges_by_score(model, mergeable);
  return model;
}

std::string with_blanks(std::string_view text, bool in_front, const SentencePieceRules& rules) {
  std::string out = replaced(text, written_blank, ' ');
  if (rules.collapses_blanks) {
    const auto both_blank = [](char a, char b) { return a == ' ' && b == ' '; };
    out.erase(std::unique(out.begin(), out.end(), both_blank), out.end());
    if (out.ends_with(' ')) out.pop_back();
    if (out.starts_with(' ')) out.erase(0, 1);
  }
  if (rules.adds_blank && in_front && !out.empty()) out.insert(out.begin(), ' ');
  return out;
}

}  // namespace cria
