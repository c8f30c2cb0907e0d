// SentencePiece's models for tests, and the pieces that texts become.
#pragma once

#include <fmt/format.h>

#include "chapters/01-bpe/sentencepiece.hpp"
#include "chapters/01-bpe/tokenizer.hpp"
#include "tests/testing.hpp"

namespace cria::testing {

using Pieces = std::vector<std::string>;
using Scores = std::vector<std::pair<std::string, float>>;

/// <unk>, <s>, </s>, the bytes, and these pieces with scores.
inline SentencePieces with_pieces(const Scores& pieces, bool bytes = true) {
  using Kind = SentencePieces::Kind;
  SentencePieces out{{{"<unk>", 0, Kind::unknown}, {"<s>", 0, Kind::control}, {"</s>", 0, Kind::control}}, true, false};
  for (int byte = 0; byte < 256 && bytes; ++byte)
    out.pieces.push_back({fmt::format("<0x{:02X}>", byte), 0, Kind::byte});
  for (const auto& [text, score] : pieces) out.pieces.push_back({text, score, Kind::normal});
  return out;
}

inline Pieces pieces_of(const Tokenizer& tokenizer, std::string_view text, SpecialText special = SpecialText::plain) {
  Pieces pieces;
  for (const TokenId id : tokenizer.encode(text, special)) pieces.emplace_back(tokenizer.piece(id));
  return pieces;
}

}  // namespace cria::testing
