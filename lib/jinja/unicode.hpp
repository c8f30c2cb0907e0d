// Texts as Python sees them: sequences of code points, here in UTF-8. A byte that is no UTF-8 counts as a character.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace cria::jinja {

/// The character that begins at byte `at`, of at least one byte.
std::string_view character_at(std::string_view text, std::size_t at);
std::size_t count_characters(std::string_view text);

/// Of a single character; U+FFFD where it is no UTF-8.
std::uint32_t code_point_of(std::string_view character);
void append_code_point(std::string& text, std::uint32_t code_point);

/// Python's str.isspace, and str.isprintable.
bool is_space(std::uint32_t code_point);
bool is_printable(std::uint32_t code_point);

/// Without the characters of `set` at the chosen ends; without white space where there is no set.
std::string_view strip(std::string_view text, bool left, bool right, const std::string* set = nullptr);

/// One character for one, but "SS" for "ß". Python knows a hundred more that become several, such as ligatures.
std::string upper(std::string_view text);
std::string lower(std::string_view text);
bool is_cased(std::uint32_t code_point);
/// Python's str.capitalize and str.title.
std::string capitalize(std::string_view text);
std::string title(std::string_view text);

}  // namespace cria::jinja
