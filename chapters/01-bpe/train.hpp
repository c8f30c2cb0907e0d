// Training byte-level BPE: learns merges from counted words.
//
// Sennrich, Haddow, Birch 2016 (arXiv:1508.07909), on bytes as in GPT-2 (Radford et al. 2019). What learns from
// characters is train_sentencepiece.hpp. Left out: dropout, and any limit on the length of a token.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "chapters/01-bpe/bpe_model.hpp"
#include "chapters/01-bpe/word_counts.hpp"

namespace cria {

/// Which of several pairs with the same count is merged first.
enum class Ties {
  greatest_bytes,  // the pair with the greatest left token, then the greatest right one, compared as bytes (CS336)
  first_met,       // the pair that stands first in the words, in the order in which these were met (minbpe)
  shortest,  // the pair with the fewest characters together, then the least bytes, with "▁" for blanks (SentencePiece)
};

struct BpeOptions {
  std::size_t vocabulary_size = 4096;  // bytes, merges and special tokens together
  SplitPattern pattern = SplitPattern::llama3;
  std::vector<std::string> special_tokens = {begin_of_text, end_of_text};
  Ties ties = Ties::greatest_bytes;
  std::string separator{};  // of the text's documents, of which no token has a part; empty: the text is one document

  WordBorders borders() const { return {pattern, SpecialTokens(special_tokens), separator}; }
};

/// The vocabulary is the 256 bytes, then one token for each merge, then the special tokens. It is smaller than asked
/// for if no pair is left to merge. Throws UserError for a size that does not hold the bytes and the special tokens.
BpeModel train_bpe(const WordCounts& words, const BpeOptions& options);
BpeModel train_bpe(std::string_view text, const BpeOptions& options);
BpeModel train_bpe_on_files(const std::vector<std::filesystem::path>& files, const BpeOptions& options);

/// Whether a pair may become a token, by the bytes of both.
using MayJoin = std::function<bool(std::string_view left, std::string_view right)>;

/// Adds up to `count` merges and their tokens to a model that has the symbols of its alphabet: bytes as ids 0 to 255,
/// or characters, of which those without a token merge with nothing. With characters a token that is there already is
/// not made in another way: its pairs stay apart, as SentencePiece leaves them.
void learn_merges(const WordCounts& words, Ties ties, std::size_t count, BpeModel& model, const MayJoin& may_join = {});

}  // namespace cria
