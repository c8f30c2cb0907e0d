// Reads protocol buffers as far as sentencepiece_model.proto needs (protobuf.dev, "Encoding"): a message is a row of
// fields, each with a number and a wire type, and what is not known is skipped.
#include "lib/formats/sentencepiece_file.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>

#include "lib/base/check.hpp"
#include "lib/base/with_name.hpp"

namespace cria {
namespace {

// A row of fields. next() moves to the next one; number() and so on tell what it is.
class Message {
 public:
  explicit Message(std::string_view bytes) : rest_(bytes) {}

  bool next() {
    if (rest_.empty()) return false;
    const std::uint64_t key = take_varint();
    field_ = static_cast<std::uint32_t>(key >> 3), wire_ = static_cast<Wire>(key & 7);
    switch (wire_) {
      case Wire::varint:
        value_ = take_varint();
        return true;
      case Wire::fixed64:
        bytes_ = take(8);
        return true;
      case Wire::bytes:
        bytes_ = take(take_varint());
        return true;
      case Wire::fixed32:
        bytes_ = take(4);
        return true;
    }
    throw UserError("is no SentencePiece model: it has an unknown kind of field");
  }

  std::uint32_t field() const { return field_; }
  std::uint64_t number() const { return expect(Wire::varint), value_; }
  std::string_view bytes() const { return expect(Wire::bytes), bytes_; }
  float real() const {
    expect(Wire::fixed32);
    float value;
    std::memcpy(&value, bytes_.data(), sizeof value);
    return value;
  }

 private:
  enum class Wire { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

  void expect(Wire wire) const {
    if (wire_ != wire) throw UserError(fmt::format("is no SentencePiece model: field {} is of another kind", field_));
  }
  std::string_view take(std::uint64_t size) {
    if (size > rest_.size()) throw UserError("ends within a field (is it cut off?)");
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  std::uint64_t take_varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      value |= std::uint64_t{byte & 127u} << shift;
      if (byte < 128) return value;
    }
    throw UserError("is no SentencePiece model: a number has no end");
  }

  std::string_view rest_, bytes_;
  std::uint32_t field_ = 0;
  Wire wire_ = Wire::varint;
  std::uint64_t value_ = 0;
};

using PieceKind = SentencePieces::Kind;

constexpr size_t most_pieces = 1 << 20, longest_file = 16 << 20;  // Gemma's have 262144 pieces in 5 MB

SentencePieces::Piece read_piece(Message message) {
  SentencePieces::Piece piece;
  while (message.next()) {
    if (message.field() == 1) piece.text = message.bytes();
    if (message.field() == 2) piece.score = message.real();
    if (message.field() == 3) {
      if (message.number() < 1 || message.number() > 6)
        throw UserError(fmt::format("has a piece of the unknown kind {}", message.number()));
      piece.kind = static_cast<SentencePieces::Kind>(message.number());
    }
  }
  return piece;
}

void require_bpe(Message trainer) {
  constexpr std::array<const char*, 5> types = {"0", "Unigram", "BPE", "Word", "Char"};
  std::uint64_t type = 1;
  while (trainer.next())
    if (trainer.field() == 3) type = trainer.number();
  if (type != 2)
    throw UserError(fmt::format("is a SentencePiece model of type {}, expected BPE",
                                type < types.size() ? types[type] : fmt::format("{}", type).c_str()));
}

void read_normaliser(Message message, SentencePieces& out) {
  std::string name = "identity";
  bool escapes = true;
  out.collapses_blanks = true;  // what stands in no field is the schema's default
  while (message.next()) {
    if (message.field() == 1) name = message.bytes();
    if (message.field() == 2 && !message.bytes().empty() && name == "identity") name = "its own table";
    if (message.field() == 3) out.adds_blank = message.number() != 0;
    if (message.field() == 4) out.collapses_blanks = message.number() != 0;
    if (message.field() == 5) escapes = message.number() != 0;
  }
  if (name != "identity" || !escapes)
    throw UserError(fmt::format("normalises text by {}, expected \"identity\" with blanks as U+2581",
                                name == "identity" ? "keeping blanks" : in_quotes(name)));
}

template <class Read>
SentencePieces read_whole(const std::filesystem::path& path, Read read) {
  return with_name(path, [&] { return read(std::string_view(read_file(path, longest_file))); });
}

}  // namespace

SentencePieces read_sentencepiece(const std::filesystem::path& path) {
  return read_whole(path, [](std::string_view bytes) {
    SentencePieces out;
    bool has_trainer = false;
    for (Message model(bytes); model.next();) {
      if (model.field() == 1) out.pieces.push_back(read_piece(Message(model.bytes())));
      if (model.field() == 2) require_bpe(Message(model.bytes())), has_trainer = true;
      if (model.field() == 3) read_normaliser(Message(model.bytes()), out);
      if (out.pieces.size() > most_pieces) throw UserError(fmt::format("has more than {} pieces", most_pieces));
    }
    if (out.pieces.empty()) throw UserError("is no SentencePiece model: it has no pieces");
    if (!has_trainer) throw UserError("does not say of which type it is, expected BPE");
    return out;
  });
}

SentencePieces read_llama2c_tokenizer(const std::filesystem::path& path) {
  return read_whole(path, [](std::string_view bytes) {
    struct Entry {
      float score;
      std::int32_t size;
    };
    SentencePieces out;
    std::int32_t longest = 0;
    if (bytes.size() < sizeof longest) throw UserError("is no tokenizer of llama2.c: it is too short");
    std::memcpy(&longest, bytes.data(), sizeof longest);
    bytes.remove_prefix(sizeof longest);
    while (!bytes.empty()) {
      const size_t id = out.pieces.size();
      Entry entry;
      if (bytes.size() < sizeof entry) throw UserError(fmt::format("ends within token {} (is it cut off?)", id));
      std::memcpy(&entry, bytes.data(), sizeof entry);
      bytes.remove_prefix(sizeof entry);
      if (entry.size < 0 || entry.size > longest || size_t(entry.size) > bytes.size())
        throw UserError(fmt::format("token {} has {} bytes, expected at most {}", id, entry.size, longest));
      if (id >= most_pieces) throw UserError(fmt::format("has more than {} pieces", most_pieces));
      const PieceKind kind = id == 0    ? PieceKind::unknown
                             : id < 3   ? PieceKind::control
                             : id < 259 ? PieceKind::byte
                                        : PieceKind::normal;
      std::string text;
      for (const char c : bytes.substr(0, size_t(entry.size)))  // here a blank is a blank
        kind == PieceKind::normal&& c == ' ' ? text += "\u2581" : text += c;
      out.pieces.push_back({text, entry.score, kind});
      bytes.remove_prefix(size_t(entry.size));
    }
    // llama2.c writes "\n<s>\n" and "\n</s>\n".
    for (size_t id = 1; id < 3 && id < out.pieces.size(); ++id) out.pieces[id].text = id == 1 ? "<s>" : "</s>";
    if (out.pieces.size() < 259) throw UserError("is no tokenizer of llama2.c: it has fewer than 259 tokens");
    return out;
  });
}

bool is_sentencepiece(std::string_view bytes) {
  try {
    Message model(bytes);
    return model.next() && model.field() == 1 && !read_piece(Message(model.bytes())).text.empty();
  } catch (const UserError&) {
    return false;
  }
}

}  // namespace cria
