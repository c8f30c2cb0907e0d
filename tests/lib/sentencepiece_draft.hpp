// A SentencePiece model as its file has it, a protocol buffer, and llama2c's tokenizer.bin.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cria::testing {

inline std::string varint(std::uint64_t number) {
  std::string out;
  for (; number >= 128; number >>= 7) out += char(number | 128);
  return out += char(number);
}
/// Fields of a message: of bytes, of a number, and of a float.
inline std::string field(int number, std::string_view bytes) {
  return varint(std::uint64_t(number) << 3 | 2) + varint(bytes.size()) + std::string(bytes);
}
inline std::string field(int number, std::uint64_t value) { return varint(std::uint64_t(number) << 3) + varint(value); }
inline std::string field(int number, float value) {
  return varint(std::uint64_t(number) << 3 | 5) + std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

struct SentencePieceDraft {
  std::vector<std::pair<std::string, float>> pieces = {
      {"\u2581", -1}, {"a", -2}, {"b", -3}, {"ab", -4}, {"\u2581ab", -5}};
  std::uint64_t model_type = 2;  // BPE
  std::string normaliser = "identity";
  bool bytes = true;
  std::string end = "";

  /// <unk>, <s>, </s>, the bytes, and the pieces.
  std::string model() const {
    std::string out;
    const auto add = [&](const std::string& text, float score, std::uint64_t kind) {
      out += field(1, field(1, text) + field(2, score) + field(3, kind));
    };
    add("<unk>", 0, 2), add("<s>", 0, 3), add("</s>", 0, 3);
    for (int byte = 0; byte < 256 && bytes; ++byte) add(fmt::format("<0x{:02X}>", byte), 0, 6);
    for (const auto& [text, score] : pieces) add(text, score, 1);
    return out + field(2, field(3, model_type)) + field(3, field(1, normaliser) + field(3, std::uint64_t{1})) + end;
  }

  /// The same as llama2.c has it, with blanks for "▁".
  std::string llama2c() const {
    std::string out;
    const auto put = [&](auto number) { out.append(reinterpret_cast<const char*>(&number), sizeof number); };
    const auto add = [&](const std::string& text, float score) {
      put(score), put(std::int32_t(text.size())), out += text;
    };
    put(std::int32_t{16});
    add("<unk>", 0), add("\n<s>\n", 0), add("\n</s>\n", 0);
    for (int byte = 0; byte < 256; ++byte) add(fmt::format("<0x{:02X}>", byte), 0);
    for (std::string text; const auto& [piece, score] : pieces) {
      text = piece;
      for (size_t at; (at = text.find("\u2581")) != text.npos;) text.replace(at, 3, " ");
      add(text, score);
    }
    return out + end;
  }
};

}  // namespace cria::testing
