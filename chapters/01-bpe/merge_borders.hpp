// MergeBorders: the places in a text that no merge reaches across, so that each part can be merged, and kept in a
// cache, by itself.
//
// SentencePiece merges whole texts. But two characters stay apart for good if no merge joins a token that ends with the
// one to a token that begins with the other: a full stop and the blank behind it, in Llama 2 also two digits, or a line
// end and anything. It is enough to look at the last byte of one character and the first byte of the next.
#pragma once

#include <algorithm>
#include <bitset>
#include <cstddef>
#include <string_view>

#include "chapters/01-bpe/bpe_model.hpp"

namespace cria {

class MergeBorders {
 public:
  MergeBorders() = default;
  /// Of a model with SentencePieceRules.
  explicit MergeBorders(const BpeModel& model) {
    const auto byte = [](char c) { return static_cast<std::size_t>(static_cast<unsigned char>(c)); };
    for (const Merge& merge : model.merges)
      joins_[byte(model.vocabulary[static_cast<std::size_t>(merge.left)].back()) << 8 |
             byte(model.vocabulary[static_cast<std::size_t>(merge.right)].front())] = true;
    if (!model.sentencepiece->byte_tokens.empty()) return;
    // Unknown characters in a row become one token. Of a byte that is not ASCII the character is not known here.
    std::bitset<256> known;
    for (std::size_t c = 0; c < 128; ++c) {
      const char character = static_cast<char>(c);
      const std::size_t id = model.vocabulary.find({&character, 1});
      known[c] = id != ByteStrings::npos && std::ranges::count(model.special_tokens, static_cast<TokenId>(id)) == 0;
    }
    for (std::size_t left = 0; left < 256; ++left)
      for (std::size_t right = 0; right < 256; ++right)
        if (!known[left] && !known[right]) joins_[left << 8 | right] = true;
  }

  /// Where the part that begins at `begin` (< text.size()) ends.
  std::size_t part_end(std::string_view text, std::size_t begin) const {
    // example: part_end
    std::size_t at = begin + 1;
    while (at < text.size() && (continues(text[at]) || may_join(text[at - 1], text[at]))) ++at;
    return at;
    // end of example
  }

 private:
  static bool continues(char byte) { return (byte & 0xC0) == 0x80; }  // a character that has begun before
  bool may_join(char left, char right) const {
    return joins_[static_cast<std::size_t>(static_cast<unsigned char>(left)) << 8 | static_cast<unsigned char>(right)];
  }
  std::bitset<256 * 256> joins_;  // by the last byte on the left and the first one on the right
};

}  // namespace cria
