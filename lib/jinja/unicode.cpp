#include "lib/jinja/unicode.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <utility>

namespace cria::jinja {
namespace {

/// Length and code point of the character at a byte; length 1 and no code point where it is no UTF-8.
struct Decoded {
  std::size_t length;
  utf8proc_int32_t code_point;
};

Decoded decode(std::string_view text, std::size_t at) {
  utf8proc_int32_t code_point = -1;
  const auto rest = static_cast<utf8proc_ssize_t>(std::min<std::size_t>(text.size() - at, 4));
  const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at), rest, &code_point);
  return length > 0 ? Decoded{static_cast<std::size_t>(length), code_point} : Decoded{1, -1};
}

/// Every character through `change`; bytes that are no UTF-8 stay.
template <class Change>
std::string map_characters(std::string_view text, Change change) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Decoded character = decode(text, at);
    if (character.code_point < 0)
      result += text[at];
    else
      append_code_point(result, static_cast<std::uint32_t>(change(character.code_point)));
    at += character.length;
  }
  return result;
}

}  // namespace

std::string_view character_at(std::string_view text, std::size_t at) {
  return text.substr(at, decode(text, at).length);
}

std::size_t count_characters(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); at += decode(text, at).length) ++count;
  return count;
}

std::uint32_t code_point_of(std::string_view character) {
  const utf8proc_int32_t code_point = decode(character, 0).code_point;
  return code_point < 0 ? 0xFFFD : static_cast<std::uint32_t>(code_point);
}

void append_code_point(std::string& text, std::uint32_t code_point) {
  utf8proc_uint8_t bytes[4];
  const auto length = utf8proc_encode_char(static_cast<utf8proc_int32_t>(code_point), bytes);
  text.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
}

bool is_space(std::uint32_t c) {
  return (c >= 9 && c <= 13) || (c >= 28 && c <= 32) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool is_printable(std::uint32_t code_point) {
  if (code_point == ' ') return true;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(code_point))) {
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return false;
    default:
      return true;
  }
}

std::string_view strip(std::string_view text, bool left, bool right, const std::string* set) {
  const auto is_stripped = [&](std::string_view character) {
    return set ? set->find(character) != set->npos : is_space(code_point_of(character));
  };
  while (left && !text.empty()) {
    const std::string_view character = character_at(text, 0);
    if (!is_stripped(character)) break;
    text.remove_prefix(character.size());
  }
  while (right && !text.empty()) {
    std::size_t at = text.size() - 1;  // of the last character: back over at most three bytes that continue it
    while (at > 0 && text.size() - at < 4 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
    if (character_at(text, at).size() != text.size() - at) at = text.size() - 1;
    if (!is_stripped(text.substr(at))) break;
    text = text.substr(0, at);
  }
  return text;
}

std::string upper(std::string_view text) {
  std::string result = map_characters(text, [](utf8proc_int32_t c) { return c == 0xDF ? c : utf8proc_toupper(c); });
  for (std::size_t at = result.find("ß"); at != result.npos; at = result.find("ß", at)) result.replace(at, 2, "SS");
  return result;
}
std::string lower(std::string_view text) { return map_characters(text, utf8proc_tolower); }

bool is_cased(std::uint32_t code_point) {
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(code_point));
  return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL || category == UTF8PROC_CATEGORY_LT;
}

std::string capitalize(std::string_view text) {
  bool first = true;
  return map_characters(text, [&first](utf8proc_int32_t c) {
    return std::exchange(first, false) ? utf8proc_totitle(c) : utf8proc_tolower(c);
  });
}

std::string title(std::string_view text) {
  bool inside = false;  // a word
  return map_characters(text, [&inside](utf8proc_int32_t c) {
    const auto changed = inside ? utf8proc_tolower(c) : utf8proc_totitle(c);
    inside = is_cased(static_cast<std::uint32_t>(c));
    return changed;
  });
}

}  // namespace cria::jinja
