#include "lib/jinja/lexer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lib/jinja/budget.hpp"
#include "lib/jinja/unicode.hpp"

namespace cria::jinja {
namespace {

/// All newlines as \n, and without the last one.
std::string normalised(std::string_view source) {
  std::string text;
  text.reserve(source.size());
  for (std::size_t at = 0; at < source.size(); ++at) {
    if (source[at] == '\r' && source.substr(at).starts_with("\r\n")) continue;
    text += source[at] == '\r' ? '\n' : source[at];
  }
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(normalised(source)), rest_(source_) {}

  std::vector<Token> run() {
    try {
      while (!rest_.empty()) {
        const std::size_t tag = next_tag();
        const char kind = tag == rest_.npos ? 0 : rest_[tag + 1];
        if (kind == 0)
          add(Token::Kind::data, std::string(rest_)), advance(rest_.size());
        else if (kind == '#')
          enter(tag, 2), skip_comment();
        else if (kind == '{')
          enter(tag, 2), add(Token::Kind::begin_output), read_expression("}}");
        else if (!read_raw(tag))
          enter(tag, 2), add(Token::Kind::begin_statement), read_expression("%}");
      }
      add(Token::Kind::end);
    } catch (Failure& failure) {
      if (failure.line == 0) failure.line = line_;
      throw;
    }
    return std::move(tokens_);
  }

 private:
  void add(Token::Kind kind, std::string text = {}) { tokens_.push_back({kind, line_, std::move(text)}); }

  void advance(std::size_t count) {
    if (count == 0) return;
    line_ += static_cast<std::uint32_t>(std::count(rest_.begin(), rest_.begin() + std::ptrdiff_t(count), '\n'));
    at_line_start_ = rest_[count - 1] == '\n';
    before_ = rest_[count - 1];
    rest_.remove_prefix(count);
  }

  void skip_space() { advance(rest_.size() - strip(rest_, true, false).size()); }

  std::size_t next_tag() const {
    std::size_t at = rest_.find('{');
    while (at != rest_.npos && (at + 1 == rest_.size() || std::string_view("{%#").find(rest_[at + 1]) == rest_.npos))
      at = rest_.find('{', at + 1);
    return at;
  }

  /// The text before a tag, and the tag's opening of `size` bytes with its sign.
  void enter(std::size_t tag, std::size_t size) {
    std::string_view text = rest_.substr(0, tag);
    const bool is_output = rest_[tag + 1] == '{';
    const char sign = tag + 2 < rest_.size() ? rest_[tag + 2] : ' ';
    if (sign == '-') {
      text = strip(text, false, true);
    } else if (sign != '+' && !is_output) {
      const std::size_t newline = text.rfind('\n');
      const std::size_t start = newline == text.npos ? 0 : newline + 1;
      if ((start > 0 || at_line_start_) && strip(text.substr(start), true, false).empty()) text = text.substr(0, start);
    }
    if (!text.empty()) add(Token::Kind::data, std::string(text));
    advance(tag + size + (sign == '-' || sign == '+'));
  }

  /// Goes behind the end of a tag, and behind the white space that it takes; false where the tag does not end here.
  bool leave(std::string_view closing) {
    const bool is_output = closing == "}}";
    if (rest_.starts_with('-') && rest_.substr(1).starts_with(closing)) {
      advance(1 + closing.size());
      skip_space();
    } else if (!is_output && rest_.starts_with('+') && rest_.substr(1).starts_with(closing)) {
      advance(1 + closing.size());
    } else if (rest_.starts_with(closing)) {
      advance(closing.size());
      if (!is_output && rest_.starts_with('\n')) advance(1);
    } else {
      return false;
    }
    return true;
  }

  void skip_comment() {
    const std::uint32_t line = line_;
    std::size_t end = rest_.find("#}");
    if (end == rest_.npos) fail(line, "a comment is never closed: `#}` is missing");
    if (end > 0 && (rest_[end - 1] == '-' || rest_[end - 1] == '+')) --end;
    advance(end);
    leave("#}");
  }

  /// {% raw %} … {% endraw %}, whose text is no template. False where the tag is another one.
  bool read_raw(std::size_t tag) {
    const auto is_tag = [this](std::size_t at, std::string_view word) {  // the length up to its closing, or 0
      std::string_view text = rest_.substr(at + 2);
      if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
      text = strip(text, true, false);
      if (!text.starts_with(word)) return std::size_t{0};
      text = strip(text.substr(word.size()), true, false);
      const bool closes =
          text.starts_with("%}") || text.starts_with("-%}") || (word == "endraw" && text.starts_with("+%}"));
      return closes ? rest_.size() - at - text.size() : std::size_t{0};
    };
    const std::size_t opening = is_tag(tag, "raw");
    if (opening == 0) return false;
    const std::uint32_t line = line_;
    enter(tag, 2);
    skip_space();
    advance(std::string_view("raw").size());
    skip_space();
    const bool strips = rest_.starts_with('-');
    advance(strips ? 3 : 2);
    if (strips) skip_space();
    for (std::size_t end = rest_.find("{%"); end != rest_.npos; end = rest_.find("{%", end + 1)) {
      const std::size_t closing = is_tag(end, "endraw");
      if (closing == 0) continue;
      const std::string_view after = rest_.substr(end + closing);
      enter(end, 2);
      advance(rest_.size() - after.size());
      leave("%}");
      return true;
    }
    fail(line, "`raw` is never closed: `endraw` is missing");
  }

  /// The tokens of a tag up to its end.
  void read_expression(std::string_view closing) {
    const std::uint32_t line = line_;
    std::string brackets;  // those that are open, as what closes them
    for (skip_space(); !rest_.empty(); skip_space()) {
      if (brackets.empty() && leave_tag(closing)) return;
      const char c = rest_[0];
      if (is_digit(c))
        read_number();
      else if (is_name_character(c))
        read_name();
      else if (c == '"' || c == '\'')
        read_text();
      else
        read_symbol(brackets);
    }
    fail(line, fmt::format("a tag is never closed: `{}` is missing", closing));
  }

  bool leave_tag(std::string_view closing) {
    add(closing == "}}" ? Token::Kind::end_output : Token::Kind::end_statement);
    if (leave(closing)) return true;
    tokens_.pop_back();
    return false;
  }

  void take(Token::Kind kind, std::size_t length) {
    add(kind, std::string(rest_.substr(0, length)));
    advance(length);
  }

  void read_name() {
    std::size_t length = 0;
    while (length < rest_.size() && is_name_character(rest_[length])) ++length;
    take(Token::Kind::name, length);
  }

  void read_number() {
    Number number = scan_number(rest_, before_ == '.');
    add(number.is_whole ? Token::Kind::integer : Token::Kind::number, std::move(number.digits));
    advance(number.length);
  }

  void read_text() {
    std::size_t end = 1;
    while (end < rest_.size() && rest_[end] != rest_[0]) end += rest_[end] == '\\' ? 2 : 1;
    if (end >= rest_.size()) throw Failure("a text is never closed");
    add(Token::Kind::text, resolve_escapes(rest_.substr(1, end - 1)));
    advance(end + 1);
  }

  void read_symbol(std::string& brackets) {
    for (const std::string_view two : {"//", "**", "==", "!=", ">=", "<="})
      if (rest_.starts_with(two)) return take(Token::Kind::symbol, 2);
    const char c = rest_[0];
    static constexpr std::string_view opening = "([{", closing = ")]}";
    if (const std::size_t kind = opening.find(c); kind != opening.npos) {
      brackets += closing[kind];
    } else if (closing.find(c) != closing.npos) {
      if (brackets.empty() || brackets.back() != c) throw Failure(fmt::format("`{}` without its opening bracket", c));
      brackets.pop_back();
    } else if (std::string_view("+-*/%~<>=.:|,;").find(c) == std::string_view::npos) {
      throw Failure(fmt::format("`{}` has no meaning in a tag", printable(c)));
    }
    take(Token::Kind::symbol, 1);
  }

  static std::string printable(char c) { return c < ' ' || c == 127 ? fmt::format("\\x{:02x}", c) : std::string(1, c); }

  [[noreturn]] static void fail(std::uint32_t line, const std::string& message) {
    Failure failure(message);
    failure.line = line;
    throw failure;
  }

  std::string source_;
  std::string_view rest_;
  std::uint32_t line_ = 1;
  bool at_line_start_ = true;
  char before_ = 0;  // the byte before rest_
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source) { return Lexer(source).run(); }

}  // namespace cria::jinja
