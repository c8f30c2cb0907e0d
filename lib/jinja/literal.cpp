// Numbers and texts as a template spells them.
#include <fmt/format.h>

#include <cstdint>

#include "lib/jinja/budget.hpp"
#include "lib/jinja/lexer.hpp"
#include "lib/jinja/unicode.hpp"

namespace cria::jinja {
namespace {

/// Reads up to `digits` digits at `at` and moves behind them; -1 where there are fewer than `least`.
std::int64_t read_digits(std::string_view text, std::size_t& at, int base, int digits, int least) {
  std::int64_t number = 0;
  int count = 0;
  for (; count < digits && at < text.size(); ++count, ++at) {
    const char c = text[at];
    const int digit = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : 99;
    if (digit >= base) break;
    number = number * base + digit;
  }
  return count < least ? -1 : number;
}

}  // namespace

Number scan_number(std::string_view text, bool after_dot) {
  Number number;
  std::size_t& at = number.length;
  const auto digit_at = [&](std::size_t place) { return place < text.size() && is_digit(text[place]); };
  const auto read_digits = [&] {
    while (digit_at(at) || (at < text.size() && text[at] == '_')) number.digits += text[at++];
  };
  read_digits();
  if (!after_dot && text.substr(at).starts_with('.') && digit_at(at + 1)) {
    number.is_whole = false;
    number.digits += text[at++];
    read_digits();
  }
  if (!after_dot && at < text.size() && (text[at] | 32) == 'e') {
    const std::size_t sign = at + 1 < text.size() && (text[at + 1] == '-' || text[at + 1] == '+');
    if (digit_at(at + 1 + sign)) {
      number.is_whole = false;
      number.digits += text.substr(at, 1 + sign);
      at += 1 + sign;
      read_digits();
    }
  }
  const bool leads_with_zero = number.is_whole && number.digits.size() > 1 && number.digits[0] == '0';
  if (number.digits.ends_with('_') || leads_with_zero || (at < text.size() && is_name_character(text[at])))
    throw Failure(fmt::format("the number `{}` is not written as supported", text.substr(0, at + 1)));
  std::erase(number.digits, '_');
  return number;
}

/// As Python's unicode-escape; \N{…} is refused.
std::string resolve_escapes(std::string_view text) {
  static constexpr std::string_view simple = "\\\\''\"\"a\ab\bf\fn\nr\rt\tv\v";
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at++];
    if (c != '\\' || at == text.size()) {
      result += c;
      continue;
    }
    const char escape = text[at];
    std::int64_t code_point = 0;
    if (escape >= '0' && escape <= '7') {
      code_point = read_digits(text, at, 8, 3, 1);
    } else if (escape == 'x' || escape == 'u' || escape == 'U') {
      const int digits = escape == 'x' ? 2 : escape == 'u' ? 4 : 8;
      code_point = read_digits(text, ++at, 16, digits, digits);
    } else if (escape == 'N') {
      throw Failure("the escape `\\N{…}` in a text is not supported");
    } else {
      ++at;
      std::size_t known = 0;
      while (known < simple.size() && simple[known] != escape) known += 2;
      if (escape == '\n') continue;  // the literal goes on in the next line
      if (known < simple.size())
        result += simple[known + 1];
      else
        result.append({'\\', escape});
      continue;
    }
    if (code_point < 0 || code_point > 0x10FFFF || (code_point >= 0xD800 && code_point < 0xE000))
      throw Failure(fmt::format("the escape `\\{}` in a text gives no character", escape));
    append_code_point(result, static_cast<std::uint32_t>(code_point));
  }
  return result;
}

}  // namespace cria::jinja
