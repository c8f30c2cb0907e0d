// The vocabulary of a SentencePiece model as files hold it: SentencePiece's own tokenizer.model, and llama2.c's
// tokenizer.bin. GGUF holds the same lists in its metadata. What the pieces mean for a text is chapter 01's.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace cria {

struct SentencePieces {
  /// As SentencePiece and GGUF number them.
  enum class Kind { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };
  struct Piece {
    std::string text;  // as it stands in the file: blanks are "▁" (U+2581), bytes "<0x0A>"
    float score = 0;
    Kind kind = Kind::normal;
  };
  std::vector<Piece> pieces;      // by token id
  bool adds_blank = true;         // in front of a text (add_dummy_prefix)
  bool collapses_blanks = false;  // drops blanks at both ends and keeps one of several (remove_extra_whitespaces)
};

/// SentencePiece's own file, a protocol buffer (sentencepiece_model.proto). Throws UserError, one line with the reason:
/// damage, or a model of another type than BPE, or a normaliser other than "identity", named.
SentencePieces read_sentencepiece(const std::filesystem::path& path);

/// The same file for the same pieces: a BPE model, with bytes for unknown characters if there are pieces for them, and
/// without changes to the text but those that are named above. Its settings for learning are those that Llama's has.
std::string sentencepiece_bytes(const SentencePieces& pieces);

/// llama2.c's tokenizer.bin: the longest piece's size, then score, size and bytes of each. Its blanks are blanks, and
/// what kind of piece each is follows from its place: 0 unknown, 1 and 2 control, then 256 bytes. Throws UserError.
SentencePieces read_llama2c_tokenizer(const std::filesystem::path& path);

/// Whether the file begins as SentencePiece's do: with a first piece, "<unk>" or another.
bool is_sentencepiece(std::string_view bytes);

}  // namespace cria
