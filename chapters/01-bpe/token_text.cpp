// The table of GPT-2's characters for bytes, and both ways through it.
#include "chapters/01-bpe/token_text.hpp"

#include <array>
#include <map>

#include "lib/base/check.hpp"

namespace cria {
namespace {

struct ByteCharacters {
  std::array<std::string, 256> of_byte;
  std::map<std::int32_t, char> byte_of;

  ByteCharacters() {
    std::int32_t next = 0x100;
    for (std::int32_t byte = 0; byte < 256; ++byte) {
      const bool visible = (byte > 0x20 && byte < 0x7F) || (byte > 0xA0 && byte != 0xAD);
      const std::int32_t c = visible ? byte : next++;
      of_byte[static_cast<std::size_t>(byte)] =
          c < 0x80 ? std::string(1, static_cast<char>(c))
                   : std::string{static_cast<char>(0xC0 | c >> 6), static_cast<char>(0x80 | (c & 0x3F))};
      byte_of[c] = static_cast<char>(byte);
    }
  }
};
const ByteCharacters byte_characters;

}  // namespace

std::string to_json_string(std::string_view bytes, Alphabet alphabet) {
  if (alphabet == Alphabet::characters) return std::string(bytes);
  std::string text;
  for (char byte : bytes) text += byte_characters.of_byte[static_cast<unsigned char>(byte)];
  return text;
}

std::string from_json_string(const std::string& text, Alphabet alphabet) {
  if (alphabet == Alphabet::characters) return text;
  std::string bytes;
  for (std::size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    const auto byte = byte_characters.byte_of.find(character.code_point);
    if (byte == byte_characters.byte_of.end())
      throw UserError("token " + in_quotes(text) + " is not written in GPT-2's bytes");
    bytes += byte->second;
    at += character.size;
  }
  return bytes;
}

}  // namespace cria
