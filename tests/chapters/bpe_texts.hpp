// Random texts for the tests of chapter 01, rich in what splitting and merging can get wrong.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "chapters/01-bpe/train.hpp"
#include "lib/base/random.hpp"

namespace cria::testing {

inline std::string utf8(std::int32_t c) {
  const auto tail = [&](int shift) { return static_cast<char>(0x80 | (c >> shift & 0x3F)); };
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xC0 | c >> 6), tail(0)};
  if (c < 0x10000) return {static_cast<char>(0xE0 | c >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | c >> 18), tail(12), tail(6), tail(0)};
}

inline std::string random_bytes(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::string bytes(count, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.below(256));
  return bytes;
}

/// Characters of all classes: mostly letters, spaces, line ends, digits and apostrophes, else anything in Unicode.
inline std::vector<std::string> random_characters(std::size_t count, std::uint64_t seed) {
  static const std::vector<std::string> common = {
      "a",  "s",      "S",      "t",      "l",      "L", "r", "e",      "v",          "E",     "d",
      "m",  "\u017F", "é",      "中",     "ß",      " ", " ", " ",      "\n",         "\n",    "\r",
      "\t", "\u00A0", "\u3000", "\u2028", "\u0085", "1", "2", "34567",  "½",          "Ⅵ",     "٣",
      "'",  "'",      "\u2019", ".",      "!",      "-", "€", "\u0301", "\U0001F600", "\u200D"};
  Random random(seed);
  std::vector<std::string> characters;
  while (characters.size() < count) {
    if (random.below(8) > 0) {
      characters.push_back(common[random.below(static_cast<std::uint32_t>(common.size()))]);
    } else {
      const auto c = static_cast<std::int32_t>(random.below(random.below(2) ? 0x110000 : 0x3000));
      if (c > 0 && (c < 0xD800 || c >= 0xE000)) characters.push_back(utf8(c));
    }
  }
  return characters;
}

inline std::string random_text(std::size_t count, std::uint64_t seed) {
  std::string text;
  for (const std::string& character : random_characters(count, seed)) text += character;
  return text;
}

/// Words of letters from a small alphabet, so that there are many ties and runs.
inline std::string random_words(std::uint64_t seed, std::size_t length) {
  Random random(seed);
  std::string text;
  while (text.size() < length) text += random.below(5) == 0 ? ' ' : static_cast<char>('a' + random.below(3));
  return text;
}

inline BpeOptions options(std::size_t vocabulary_size, SplitPattern pattern,
                          std::vector<std::string> special_tokens = {}, Ties ties = Ties::greatest_bytes) {
  return {vocabulary_size, pattern, std::move(special_tokens), ties};
}

}  // namespace cria::testing
