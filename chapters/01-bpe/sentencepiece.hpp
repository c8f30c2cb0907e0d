// SentencePiece's BPE (Kudo & Richardson 2018, arXiv:1808.06226), the tokenizer of Llama 1, 2 and Code Llama.
//
// It merges as BPE does, and differs in four things:
//   order    Each token has a score. Of all neighbouring pairs that together are a token, the one with the highest
//            score goes first, however the token was made. (GPT-2's merges name both halves.)
//   start    It begins with characters. One that has no token becomes its UTF-8 bytes, as tokens <0x00> … <0xFF>.
//   blanks   It splits nothing: a blank is a character like others, and a text begins with one that was not there, so
//            that a word is the same token at the beginning as later on. Files write blanks as "▁"; here they are
//            blanks.
//   whole    What a piece becomes may depend on all of the text. But most neighbouring characters never merge, and the
//   text
//            can be cut between them (merge_borders.hpp).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "chapters/01-bpe/bpe_model.hpp"
#include "lib/formats/sentencepiece_file.hpp"

namespace cria {

/// The model that these pieces are. Throws UserError for pieces that are there twice, or bytes of which some are
/// missing.
BpeModel sentencepiece_model(const SentencePieces& pieces);

/// The text as it is merged: "▁" are blanks, one is put in front, several become one if the model says so. `in_front`
/// is false for what follows a special token: nothing is put there, unless the model says so.
std::string with_blanks(std::string_view text, bool in_front, const SentencePieceRules& rules);

inline constexpr const char* written_blank = "\u2581";  // "▁"

/// What collapses_blanks removes, and replaces by one blank, as the expressions that stand in a tokenizer.json.
inline constexpr const char *blanks_at_ends = R"(\A +| +\z)", *several_blanks = " {2,}";

/// A piece as files write it, with "▁" for blanks, and back.
std::string with_written_blanks(std::string_view piece);
std::string with_plain_blanks(std::string_view piece);

/// The byte that a piece such as "<0x0A>" stands for, and back.
std::optional<std::size_t> byte_of_piece(std::string_view piece);
std::string piece_of_byte(std::size_t byte);

}  // namespace cria
