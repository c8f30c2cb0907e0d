// Writes protocol buffers as far as sentencepiece_model.proto needs (protobuf.dev, "Encoding").
#include <algorithm>
#include <bit>
#include <cstdint>

#include "lib/formats/sentencepiece_file.hpp"

namespace cria {
namespace {

class MessageWriter {
 public:
  void number(std::uint32_t field, std::uint64_t value) { key(field, 0), varint(value); }
  void text(std::uint32_t field, const std::string& value) {
    key(field, 2), varint(value.size());
    bytes += value;
  }
  void real(std::uint32_t field, float value) {
    key(field, 5);
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(bits >> shift & 0xFF);
  }

  std::string bytes;

 private:
  void key(std::uint32_t field, std::uint32_t wire) { varint(field << 3 | wire); }
  void varint(std::uint64_t value) {
    for (; value >= 128; value >>= 7) bytes += static_cast<char>((value & 127) | 128);
    bytes += static_cast<char>(value);
  }
};

}  // namespace

std::string sentencepiece_bytes(const SentencePieces& pieces) {
  MessageWriter model, trainer, normaliser;
  for (const SentencePieces::Piece& piece : pieces.pieces) {
    MessageWriter one;
    one.text(1, piece.text);
    one.real(2, piece.score);
    if (piece.kind != SentencePieces::Kind::normal) one.number(3, static_cast<std::uint64_t>(piece.kind));
    model.text(1, one.bytes);
  }
  const auto bytes = std::ranges::count(pieces.pieces, SentencePieces::Kind::byte, &SentencePieces::Piece::kind);
  trainer.number(3, 2);  // model_type: BPE
  trainer.number(4, pieces.pieces.size());
  trainer.number(25, 1);  // split_digits
  trainer.number(26, 1);  // allow_whitespace_only_pieces
  trainer.number(35, bytes > 0);
  model.text(2, trainer.bytes);
  normaliser.text(1, "identity");
  normaliser.number(3, pieces.adds_blank);
  normaliser.number(4, pieces.collapses_blanks);
  normaliser.number(5, 1);  // escape_whitespaces
  model.text(3, normaliser.bytes);
  return model.bytes;
}

}  // namespace cria
