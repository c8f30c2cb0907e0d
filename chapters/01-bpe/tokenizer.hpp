// Tokenizer: text to token ids and back.
//
// Every byte string survives encode and decode with a byte-level model, also one that is not UTF-8, unless the model
// composes characters, and with a SentencePiece model that keeps its blanks. Left out: other normalisation. A tokenizer
// does not change once built, so any number of threads may use it at once.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chapters/01-bpe/bpe_model.hpp"
#include "chapters/01-bpe/merge.hpp"
#include "chapters/01-bpe/merge_borders.hpp"
#include "chapters/01-bpe/piece_cache.hpp"
#include "chapters/01-bpe/special_tokens.hpp"

namespace cria {

/// What "<|end_of_text|>" inside a text means. What users type is plain text: nobody ends a conversation by quoting it.
enum class SpecialText { plain, parse };

class Tokenizer {
 public:
  /// Throws UserError for an empty special token.
  explicit Tokenizer(BpeModel model);

  std::vector<TokenId> encode(std::string_view text, SpecialText special = SpecialText::plain) const;
  /// The same, appended. Throws UserError for a character or byte that the vocabulary does not have.
  void encode(std::string_view text, SpecialText special, std::vector<TokenId>& out) const;

  /// The ids of a text that goes on from another: SentencePiece puts no blank in front of it.
  std::vector<TokenId> encode_continuation(std::string_view text) const;

  /// The bytes of the tokens, one after the other; the blank that a SentencePiece model puts in front is dropped.
  /// Throws UserError for an id out of range.
  std::string decode(std::span<const TokenId> ids) const;

  /// The bytes of one token, which may be only a part of a character. Throws UserError for an id out of range.
  std::string_view piece(TokenId id) const;
  std::size_t vocabulary_size() const { return model_.vocabulary.size(); }
  bool is_special(TokenId id) const { return kinds_.at(static_cast<std::size_t>(id)) == Kind::special; }
  const SpecialTokens& special_tokens() const { return specials_; }
  /// The special token with this text.
  std::optional<TokenId> special_id(std::string_view text) const;
  std::optional<TokenId> bos_id() const { return special_id(model_.sentencepiece ? "<s>" : begin_of_text); }
  std::optional<TokenId> eos_id() const { return special_id(model_.sentencepiece ? "</s>" : end_of_text); }

  const BpeModel& model() const { return model_; }

 private:
  enum class Kind : std::uint8_t {
    whole,    // merging its bytes gives this very token, so a piece with these bytes needs no merging
    partial,  // only ever a symbol on the way
    byte,     // stands for one byte of a character that has no token (SentencePiece)
    special,
  };
  /// What encoding a text needs besides the text; made once, so that pieces allocate nothing.
  struct Workspace {
    PieceCache<2, 3> short_pieces;
    PieceCache<4, 6> long_pieces;
    std::vector<TokenId> symbols;  // of the piece at hand
  };
  static Workspace workspace(std::string_view text);
  void encode_plain(std::string_view text, bool in_front, Workspace& work, std::vector<TokenId>& out) const;
  void encode_piece(std::string_view piece, Workspace& work, std::vector<TokenId>& out) const;
  template <class Entry>
  void encode_cached(Entry& cached, std::string_view piece, Workspace& work, std::vector<TokenId>& out) const;
  void encode_new(std::string_view piece, Workspace& work, std::vector<TokenId>& out) const;
  std::size_t symbol_size(std::string_view text, std::size_t at) const;  // in bytes: of a byte, or a character
  /// How many bytes of the piece could be split: all of them, unless the vocabulary lacks one.
  std::size_t split_into_symbols(std::string_view piece, std::vector<TokenId>& symbols) const;
  void push_bytes(std::string_view character, std::vector<TokenId>& symbols) const;

  BpeModel model_;
  Merger merger_;
  MergeBorders borders_;  // of SentencePiece's kind
  SpecialTokens specials_;
  std::array<TokenId, 256> byte_ids_{};  // -1: the vocabulary has none
  std::vector<Kind> kinds_;              // of each token
};

}  // namespace cria
