// BpeModel: everything that a tokenizer is, as plain data. Training makes it, files hold it, Tokenizer runs it.
//
// Four kinds of tokenizer are the same model:
//   byte-level BPE   alphabet bytes, merges, a split pattern         (GPT-2, Llama 3, and `cria tokenize train`)
//   SentencePiece    alphabet characters, merges by score      (Llama 1 and 2; sentencepiece.hpp)
//   bytes            alphabet bytes, no merges, no pattern           (256 tokens)
//   characters       alphabet characters, no merges, no pattern      (one token for each code point of a text)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "chapters/01-bpe/byte_strings.hpp"
#include "chapters/01-bpe/split.hpp"

namespace cria {

using TokenId = std::int32_t;

/// What a text falls into before anything is merged.
enum class Alphabet { bytes, characters };

/// Wherever `left` and `right` stand side by side they become `result`. Earlier merges go first.
struct Merge {
  TokenId left, right, result;
  bool operator==(const Merge&) const = default;
};

/// What SentencePiece's kind of BPE does beside merging; see sentencepiece.hpp.
struct SentencePieceRules {
  std::vector<float> scores;          // of each token; merges that make tokens of equal score share a rank. Empty: as
                                      // without these rules
  std::vector<TokenId> byte_tokens;   // (256) what a character that has no token becomes, byte by byte; or empty
  std::optional<TokenId> unknown;     // what it becomes where there are no byte tokens
  bool adds_blank = true;             // in front of a text
  bool adds_behind_specials = false;  // and of what follows a special token (Hugging Face's "legacy")
  bool adds_only_where_none = false;  // but not in front of a blank (Hugging Face's Metaspace)
  bool collapses_blanks = false;      // drops those at both ends, and keeps one of several
};

struct BpeModel {
  Alphabet alphabet = Alphabet::bytes;
  SplitPattern pattern = SplitPattern::none;
  ByteStrings vocabulary;               // token id -> its bytes; special tokens included
  std::vector<Merge> merges;            // in the order in which they are applied
  std::vector<TokenId> special_tokens;  // ids in the vocabulary; never the result of encoding plain text
  bool ranks_tokens = false;            // merges that make the same token share a rank (tiktoken)
  bool ignore_merges = false;           // a piece that is a token is that token, whatever the merges say (Llama 3)
  bool composes = false;                // a text is first brought into Unicode's composed form, NFC (Qwen2)
  std::optional<SentencePieceRules> sentencepiece;
};

inline const std::string begin_of_text = "<|begin_of_text|>";
inline const std::string end_of_text = "<|end_of_text|>";

/// The 256 bytes, then the special tokens.
BpeModel bytes_model(const std::vector<std::string>& special_tokens = {begin_of_text, end_of_text});

/// The code points of the text in ascending order, then the special tokens. Throws UserError where it is not UTF-8.
BpeModel characters_model(std::string_view text,
                          const std::vector<std::string>& special_tokens = {begin_of_text, end_of_text});

/// Adds special tokens at the end of the vocabulary. Throws UserError for one that is empty, or there already.
void add_special_tokens(BpeModel& model, const std::vector<std::string>& special_tokens);

}  // namespace cria
