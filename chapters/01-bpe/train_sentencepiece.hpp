// Learning a SentencePiece model (Kudo & Richardson 2018, arXiv:1808.06226) as Llama's was learned.
//
// The same merges are counted as in byte-level BPE. What differs is what a text begins as (lines, each with a blank in
// front, cut in front of blanks and then into characters) and which tokens may come into being. Left out: sampling of
// lines, a limit on their length, and pieces that SentencePiece calls user-defined.
#pragma once

#include <string>
#include <vector>

#include "chapters/01-bpe/word_counts.hpp"
#include "lib/formats/sentencepiece_file.hpp"

namespace cria {

struct SentencePieceOptions {
  std::size_t vocabulary_size = 4096;       // all pieces together
  std::vector<std::string> special_tokens;  // besides <unk>, <s> and </s>, which have the ids 0, 1 and 2
  double coverage = 0.99995;                // of the text's characters: the rarest others become bytes
  std::string separator;                    // of the text's documents; no piece has a part of it

  WordBorders borders() const { return {SplitPattern::blanks, SpecialTokens(special_tokens), separator, true}; }
};

/// Whether a pair may become a piece: of at most 16 characters, with blanks in front only or of blanks only, without
/// digits, and of one script (as sentencepiece's IsValidSentencePiece says with Llama's settings).
bool may_be_piece(std::string_view left, std::string_view right);

/// <unk>, <s>, </s>, the special tokens, the 256 bytes, the pieces in the order in which they were learned with scores
/// 0, -1, -2, …, and the characters from the most frequent one on. Fewer than asked for if no pair is left to merge.
/// Throws UserError for a size that does not hold all but the learned ones, and for special tokens that are there
/// twice.
SentencePieces train_sentencepiece(const WordCounts& words, const SentencePieceOptions& options);

}  // namespace cria
