// Cuts a template into tokens, with the white space around tags already taken away.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cria::jinja {

struct Token {
  enum class Kind : std::uint8_t {
    data,             // text to be written as it is
    begin_output,     // {{
    end_output,       // }}
    begin_statement,  // {%
    end_statement,    // %}
    name,
    text,
    integer,
    number,
    symbol,  // an operator or a bracket
    end,
  };
  Kind kind = Kind::end;
  std::uint32_t line = 0;
  std::string text;
};

/// The tokens of a template, as Jinja's lexer with trim_blocks and lstrip_blocks cuts it: a statement or comment alone
/// on its line leaves nothing of that line, `-` in a tag takes all white space on its side, `+` keeps it. The last
/// newline of the template does not count. Ends with Kind::end. Throws Failure.
std::vector<Token> tokenize(std::string_view source);

/// What stands between the quotation marks of a literal, its escapes resolved as in Python. Throws Failure.
std::string resolve_escapes(std::string_view text);

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_name_character(char c) {
  return is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

/// The number at the beginning of a text: 12, 1_000, 1.5, 2e-3. After a dot it is whole, as in `list.0.1`. Throws
/// Failure for what Python writes otherwise, such as 0x10.
struct Number {
  bool is_whole = true;
  std::string digits;  // without _
  std::size_t length = 0;
};
Number scan_number(std::string_view text, bool after_dot);

}  // namespace cria::jinja
