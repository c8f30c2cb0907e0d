// The scanners of the split patterns. Each alternative of a regular expression is quoted above the lines that match it;
// like the expression, they are tried in order, and each takes as much as it can.
#include "chapters/01-bpe/split.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <array>

namespace cria {
namespace {

enum Class : std::uint8_t { letter, number, space, symbol, end_of_text_class };

Class class_of(std::int32_t code_point) {
  switch (code_point) {  // \s, Unicode's White_Space
    case 0x09:
    case 0x0A:
    case 0x0B:
    case 0x0C:
    case 0x0D:
    case 0x20:
    case 0x85:
    case 0xA0:
    case 0x1680:
    case 0x2028:
    case 0x2029:
    case 0x202F:
    case 0x205F:
    case 0x3000:
      return space;
  }
  if (code_point >= 0x2000 && code_point <= 0x200A) return space;
  if (code_point < 0) return symbol;  // not UTF-8
  const auto category = utf8proc_category(code_point);
  if (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) return letter;  // \p{L}
  if (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO) return number;  // \p{N}
  return symbol;
}

const std::array<Class, 128> ascii_classes = [] {
  std::array<Class, 128> classes;
  for (std::int32_t c = 0; c < 128; ++c) classes[c] = class_of(c);
  return classes;
}();

/// A position in the text, with the class and size of the character there.
struct Cursor {
  std::string_view text;
  std::size_t at;
  Class kind;
  std::size_t size;

  Cursor(std::string_view the_text, std::size_t begin) : text(the_text), at(begin) { look(); }
  void look() {
    if (at >= text.size()) {
      kind = end_of_text_class, size = 0;
    } else if (const auto byte = static_cast<unsigned char>(text[at]); byte < 128) {
      kind = ascii_classes[byte], size = 1;
    } else {
      const Character character = character_at(text, at);
      kind = class_of(character.code_point), size = character.size;
    }
  }
  void step() { at += size, look(); }
  void skip(Class what) {
    while (kind == what) step();
  }
  bool is(char c) const { return at < text.size() && text[at] == c; }
  bool is_newline() const { return is('\n') || is('\r'); }
  void skip_newlines() {
    while (is_newline()) step();
  }
};

/// '(?:[sdmt]|ll|ve|re): the length of the contraction at `begin`, 0 if there is none. Without regard to case, s is
/// also U+017F, the long s.
std::size_t contraction(std::string_view text, std::size_t begin, bool any_case) {
  if (text[begin] != '\'') return 0;
  const auto at = [&](std::size_t i) {
    const char c = begin + i < text.size() ? text[begin + i] : '\0';
    return any_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  };
  if (at(1) == 's' || at(1) == 'd' || at(1) == 'm' || at(1) == 't') return 2;
  if (at(1) == 'l' && at(2) == 'l') return 3;
  if ((at(1) == 'v' || at(1) == 'r') && at(2) == 'e') return 3;
  return any_case && text.substr(begin + 1, 2) == "\u017F" ? 3 : 0;
}

/// \s+(?!\S)|\s+ : spaces up to the last one, which is left to the word that follows; all of them at the end of the
/// text; the last one alone. The cursor stands behind the spaces, `last` at the last of them.
std::size_t end_of_spaces(const Cursor& cursor, std::size_t begin, std::size_t last) {
  return cursor.kind == end_of_text_class || last == begin ? cursor.at : last;
}

/// With single_digits, digits are cut out first, one by one; what is between them is then split as a text by itself.
std::size_t gpt2_piece_end(std::string_view text, std::size_t begin, bool single_digits) {
  // '(?:[sdmt]|ll|ve|re)
  if (const std::size_t size = contraction(text, begin, false)) return begin + size;

  //  ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+
  Cursor cursor(text, begin);
  if (single_digits && cursor.kind == number) return begin + cursor.size;
  if (cursor.is(' ')) cursor.step();
  if (const Class kind = cursor.kind; kind == letter || kind == symbol || (kind == number && !single_digits)) {
    cursor.skip(kind);
    return cursor.at;
  }
  // \s+(?!\S)|\s+
  std::size_t last = begin;
  for (cursor = Cursor(text, begin); cursor.kind == space; cursor.step()) last = cursor.at;
  if (single_digits && cursor.kind == number) return cursor.at;
  return end_of_spaces(cursor, begin, last);
}

/// Of cl100k, \s++$ goes before \s*[\r\n]: spaces that end the text are one piece, line ends among them or not.
std::size_t llama3_piece_end(std::string_view text, std::size_t begin, int most_digits, bool last_spaces_together) {
  // (?i:'s|'t|'re|'ve|'m|'ll|'d)
  if (const std::size_t size = contraction(text, begin, true)) return begin + size;

  // [^\r\n\p{L}\p{N}]?\p{L}+
  Cursor cursor(text, begin);
  const Class first = cursor.kind;
  if (first != letter && first != number && !cursor.is_newline()) cursor.step();
  if (cursor.kind == letter) {
    cursor.skip(letter);
    return cursor.at;
  }
  // \p{N}{1,3}, of Qwen2 \p{N}
  if (first == number) {
    for (int digits = 0; digits < most_digits && cursor.kind == number; ++digits) cursor.step();
    return cursor.at;
  }
  //  ?[^\s\p{L}\p{N}]+[\r\n]*
  if (first == symbol || (text[begin] == ' ' && cursor.kind == symbol)) {
    cursor.skip(symbol);
    cursor.skip_newlines();
    return cursor.at;
  }
  // \s*[\r\n]+ takes the spaces up to the last line end among them, if there is one; else \s+(?!\S)|\s+
  std::size_t last = begin, line_end = 0;
  for (cursor = Cursor(text, begin); cursor.kind == space; cursor.step()) {
    last = cursor.at;
    if (cursor.is_newline()) line_end = cursor.at + 1;
  }
  if (last_spaces_together && cursor.kind == end_of_text_class) return cursor.at;
  return line_end != 0 ? line_end : end_of_spaces(cursor, begin, last);
}

/// [\p{P}\$\+<=>\^~\|] : of ASCII all that is visible and neither letter nor digit, but for the backquote.
bool is_punctuation(const Cursor& cursor) {
  if (cursor.kind != symbol) return false;
  const auto byte = static_cast<unsigned char>(cursor.text[cursor.at]);
  if (byte < 128) return byte > ' ' && byte < 127 && byte != '`';
  const Character character = character_at(cursor.text, cursor.at);
  if (character.code_point < 0) return false;
  const auto category = utf8proc_category(character.code_point);
  return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

/// Four expressions, each of which splits the pieces of the one before, are here one.
std::size_t llama_cpp_piece_end(std::string_view text, std::size_t begin) {
  // [\p{P}$+<=>^~|]+
  Cursor cursor(text, begin);
  while (is_punctuation(cursor)) cursor.step();
  if (cursor.at > begin) return cursor.at;
  // [0-9]{3}|(?:(?![0-9]{3})\p{N})+
  const auto three_digits = [&](std::size_t at) {
    const std::string_view three = text.substr(at, 3);
    return three.size() == 3 && std::ranges::all_of(three, [](char c) { return c >= '0' && c <= '9'; });
  };
  if (three_digits(begin)) return begin + 3;
  while (cursor.kind == number && !three_digits(cursor.at)) cursor.step();
  if (cursor.at > begin) return cursor.at;
  //  ?\p{L}+| ?[^\s\p{L}\p{N}\p{P}$+<=>^~|]+
  if (cursor.is(' ')) cursor.step();
  const std::size_t word = cursor.at;
  cursor.skip(letter);
  if (cursor.at > word) return cursor.at;
  while (cursor.kind == symbol && !is_punctuation(cursor)) cursor.step();
  if (cursor.at > word) return cursor.at;
  // \s+(?=[\p{P}$+<=>^~|])|\s+(?!\S)|\s+
  std::size_t last = begin;
  for (cursor = Cursor(text, begin); cursor.kind == space; cursor.step()) last = cursor.at;
  return is_punctuation(cursor) ? cursor.at : end_of_spaces(cursor, begin, last);
}

}  // namespace

std::size_t piece_end(SplitPattern pattern, std::string_view text, std::size_t begin) {
  switch (pattern) {
    case SplitPattern::gpt2:
      return gpt2_piece_end(text, begin, false);
    case SplitPattern::smollm:
      return gpt2_piece_end(text, begin, true);
    case SplitPattern::llama3:
      return llama3_piece_end(text, begin, 3, false);
    case SplitPattern::qwen2:
      return llama3_piece_end(text, begin, 1, false);
    case SplitPattern::cl100k:
      return llama3_piece_end(text, begin, 3, true);
    case SplitPattern::llama_cpp:
      return llama_cpp_piece_end(text, begin);
    case SplitPattern::each_blank:
      return std::min(text.find(' ', begin + 1), text.size());
    case SplitPattern::blanks:
      return std::min(text.find(' ', std::min(text.find_first_not_of(' ', begin), text.size())), text.size());
    case SplitPattern::none:
      break;
  }
  return text.size();
}

std::size_t last_safe_border(std::string_view text, std::size_t limit) {
  for (std::size_t at = std::min(limit, text.size()); at-- > 1;)
    if (text[at] == ' ' && text[at - 1] > ' ' && text[at - 1] < 127) return at;
  return 0;
}

Character character_at(std::string_view text, std::size_t at) {
  utf8proc_int32_t code_point;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at);
  const auto size =
      utf8proc_iterate(bytes, static_cast<utf8proc_ssize_t>(std::min<std::size_t>(text.size() - at, 4)), &code_point);
  return size > 0 ? Character{code_point, static_cast<std::size_t>(size)} : Character{-1, 1};
}

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char byte) { return (byte & 0xC0) != 0x80; }));
}

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    if (character.code_point < 0) return false;
    at += character.size;
  }
  return true;
}

}  // namespace cria
