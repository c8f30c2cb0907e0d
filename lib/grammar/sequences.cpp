// Text with brackets, from left to right. Left out: escapes, so that the characters {}[]()| cannot occur in a story.
#include "lib/grammar/sequences.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "lib/base/check.hpp"

namespace cria {
namespace {

bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }

std::string lower_first(std::string_view name) {
  std::string lower(name);
  if (!lower.empty() && is_capital(lower[0])) lower[0] = static_cast<char>(lower[0] + 'a' - 'A');
  return lower;
}

class Sequences {
 public:
  Sequences(const Line& line, const Names& names, Grammar& grammar) : line_(line), names_(names), grammar_(grammar) {}

  Sequence read(std::string_view text) {
    Sequence sequence;
    std::string literal;
    const auto flush = [&] {
      if (!literal.empty()) sequence.push_back({.kind = Symbol::Kind::text, .text = std::exchange(literal, {})});
    };
    for (size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      if (c == ']' || c == '}' || c == ')') fail(fmt::format("`{}` without its opening bracket", c));
      if (c != '[' && c != '{' && c != '(') {
        literal += c;
        continue;
      }
      flush();
      const size_t end = closing_bracket(text, i);
      const std::string_view inside = text.substr(i + 1, end - i - 1);
      sequence.push_back(c == '[' ? rule_symbol(inside) : c == '{' ? thread_symbol(inside) : inline_choice(inside));
      i = end;
    }
    flush();
    return sequence;
  }

 private:
  [[noreturn]] void fail(const std::string& message) const { throw UserError(line_.place() + ": " + message); }

  size_t closing_bracket(std::string_view text, size_t open) const {
    constexpr int most_open = 16;
    const char closing = text[open] == '[' ? ']' : text[open] == '{' ? '}' : ')';
    int depth = 0;
    for (size_t i = open; i < text.size(); ++i) {
      if (text[i] == text[open] && ++depth > most_open) fail(fmt::format("more than {} brackets are open", most_open));
      if (text[i] == closing && --depth == 0) return i;
    }
    fail(fmt::format("`{}` is never closed", text[open]));
  }

  Symbol rule_symbol(std::string_view name) const {
    const auto rule = names_.rules.find(lower_first(name));
    if (rule == names_.rules.end()) fail(fmt::format("there is no rule `{}`", name));
    return {.kind = Symbol::Kind::rule, .capital = is_capital(name[0]), .index = rule->second, .text = {}};
  }

  Symbol thread_symbol(std::string_view name) const {
    const size_t dot = name.find('.');
    if (dot == name.npos) fail(fmt::format("{{{0}}} must name a list and a field: {{{0}.field}}", name));
    const auto thread = names_.threads.find(lower_first(name.substr(0, dot)));
    if (thread == names_.threads.end()) fail(fmt::format("there is no list `{}`", name.substr(0, dot)));
    const auto& fields = grammar_.threads[thread->second].fields;
    const auto field = std::find(fields.begin(), fields.end(), name.substr(dot + 1));
    if (field == fields.end())
      fail(fmt::format("list {} has no field `{}`, only {}", thread->first, name.substr(dot + 1),
                       fmt::join(fields, ", ")));
    return {.kind = Symbol::Kind::thread,
            .capital = is_capital(name[0]),
            .index = thread->second,
            .field = static_cast<std::uint32_t>(field - fields.begin()),
            .text = {}};
  }

  /// (a|b|c): a rule without a name.
  Symbol inline_choice(std::string_view text) {
    Rule rule{"", false, line_.place(), {}};
    for (std::string_view part : split_at_bars(text)) rule.alternatives.push_back({1, read(part)});
    grammar_.rules.push_back(std::move(rule));
    return {.kind = Symbol::Kind::rule, .index = static_cast<std::uint32_t>(grammar_.rules.size() - 1), .text = {}};
  }

  const Line& line_;
  const Names& names_;
  Grammar& grammar_;
};

}  // namespace

Sequence read_sequence(std::string_view text, const Line& line, const Names& names, Grammar& grammar) {
  return Sequences(line, names, grammar).read(text);
}

}  // namespace cria
