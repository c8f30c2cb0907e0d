// Reads a grammar file into rules and threads, and refuses one that is not sound.
//
// Two passes over the lines: the first collects the names, so that a rule may be used before it is written; the second
// turns text into symbols. check.cpp then looks at the whole. Left out: escapes, so that the characters {}[]()| cannot
// occur in a story.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/grammar/check.hpp"
#include "lib/grammar/grammar.hpp"
#include "lib/grammar/lines.hpp"

namespace cria {
namespace {

bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }

std::string lower_first(std::string_view name) {
  std::string lower(name);
  if (!lower.empty() && is_capital(lower[0])) lower[0] = static_cast<char>(lower[0] + 'a' - 'A');
  return lower;
}

class Reader {
 public:
  Reader(std::string_view text, const std::string& file) : file_(file), lines_(content_lines(text)) {}

  Grammar read() {
    for (const Line& line : lines_)
      if (!line.indented) declare(line);
    section_ = Section::none;
    for (const Line& line : lines_) {
      line_ = line.number;
      if (!line.indented)
        enter(line);
      else if (section_ == Section::rule)
        add_alternatives(line.text);
      else if (section_ == Section::thread)
        add_rows(line.text);
      else
        fail("an indented line must follow a line `rule`, `sentence` or `list`");
    }
    for (auto& rule : grammar_.rules) normalise(rule.alternatives, "rule " + rule.name, rule.line);
    for (auto& thread : grammar_.threads) normalise(thread.rows, "list " + thread.name, thread.line);
    const auto start = rules_.find("story");
    if (start == rules_.end()) throw UserError(file_ + ": a grammar needs a rule named `story`");
    grammar_.start = start->second;
    check_grammar(grammar_, file_);
    return std::move(grammar_);
  }

 private:
  enum class Section { none, rule, thread };
  static constexpr size_t most_fields = 100;

  [[noreturn]] void fail(const std::string& message) const {
    throw UserError(fmt::format("{}:{}: {}", file_, line_, message));
  }

  /// First pass: `rule name`, `sentence name` or `list name: field | field`.
  void declare(const Line& line) {
    line_ = line.number;
    const size_t space = line.text.find(' ');
    const std::string_view keyword = line.text.substr(0, space);
    std::string_view rest = space == line.text.npos ? std::string_view() : trim(line.text.substr(space));
    if (keyword == "rule" || keyword == "sentence") {
      name_is_new(std::string(rest));
      rules_[std::string(rest)] = static_cast<std::uint32_t>(grammar_.rules.size());
      grammar_.rules.push_back({std::string(rest), keyword == "sentence", line_, {}});
    } else if (keyword == "list") {
      const size_t colon = rest.find(':');
      if (colon == rest.npos) fail("a list names its fields: `list name: field | field`");
      Thread thread{std::string(trim(rest.substr(0, colon))), {}, line_, {}};
      name_is_new(thread.name);
      for (std::string_view field : split_at_bars(rest.substr(colon + 1))) {
        thread.fields.emplace_back(trim(field));
        const auto& fields = thread.fields;
        if (fields.size() > most_fields) fail(fmt::format("list {} has more than {} fields", thread.name, most_fields));
        if (fields.back().empty() || std::count(fields.begin(), fields.end(), fields.back()) > 1)
          fail(fmt::format("list {}: field names must be distinct and not empty", thread.name));
      }
      threads_[thread.name] = static_cast<std::uint32_t>(grammar_.threads.size());
      grammar_.threads.push_back(std::move(thread));
    } else {
      fail(fmt::format("expected `rule`, `sentence` or `list` (or an indented line), found `{}`", keyword));
    }
  }

  void name_is_new(const std::string& name) const {
    if (name.empty() || is_capital(name[0]) || name.find_first_of("{}[]()|.:") != name.npos)
      fail(fmt::format("`{}` is no name: it starts with a small letter and has none of {{}}[]()|.:", name));
    if (rules_.contains(name) || threads_.contains(name)) fail(fmt::format("`{}` is defined twice", name));
  }

  /// Second pass: the section that the following lines belong to.
  void enter(const Line& line) {
    const std::string_view rest = trim(line.text.substr(line.text.find(' ')));
    section_ = line.text.starts_with("list ") ? Section::thread : Section::rule;
    current_ = section_ == Section::thread ? threads_.at(std::string(trim(rest.substr(0, rest.find(':')))))
                                           : rules_.at(std::string(rest));
  }

  /// One alternative, or several short ones with `|` between them.
  void add_alternatives(std::string_view text) {
    for (std::string_view part : split_at_bars(text)) {
      part = trim(part);
      const double weight = take_weight(part);
      if (part.empty()) fail("an empty alternative: write () for nothing");
      Sequence sequence = read_sequence(part);  // may add inline rules, so the rule is looked up afterwards
      grammar_.rules[current_].alternatives.push_back({weight, std::move(sequence)});
    }
  }

  /// One row; a list with a single field may have several on a line, with `|` between them.
  void add_rows(std::string_view text) {
    Thread& thread = grammar_.threads[current_];
    const size_t expected = thread.fields.size();
    Row row{expected == 1 ? 1 : take_weight(text), {}};
    for (std::string_view part : split_at_bars(text)) {
      part = trim(part);
      if (expected == 1) {
        const double weight = take_weight(part);
        thread.rows.push_back({weight, {read_sequence(part)}});
      } else {
        row.fields.push_back(read_sequence(part));
      }
    }
    if (expected == 1) return;
    if (row.fields.size() != expected)
      fail(fmt::format("list {} has {} fields, this line has {}", thread.name, expected, row.fields.size()));
    thread.rows.push_back(std::move(row));
  }

  /// `3: text` has weight 3; a line without a number has weight 1.
  double take_weight(std::string_view& text) const {
    double weight = 1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), weight);
    if (error == std::errc::invalid_argument || end == text.data() + text.size() || *end != ':') return 1;
    if (error != std::errc() || !(weight > 0) || !std::isfinite(weight)) fail("a weight must be a number above 0");
    text = trim(text.substr(static_cast<size_t>(end - text.data()) + 1));
    return weight;
  }

  Sequence read_sequence(std::string_view text) {
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

  size_t closing_bracket(std::string_view text, size_t open) const {
    constexpr int deepest = 16;
    const char closing = text[open] == '[' ? ']' : text[open] == '{' ? '}' : ')';
    int depth = 0;
    for (size_t i = open; i < text.size(); ++i) {
      if (text[i] == text[open] && ++depth > deepest) fail(fmt::format("more than {} brackets are open", deepest));
      if (text[i] == closing && --depth == 0) return i;
    }
    fail(fmt::format("`{}` is never closed", text[open]));
  }

  Symbol rule_symbol(std::string_view name) const {
    const auto rule = rules_.find(lower_first(name));
    if (rule == rules_.end()) fail(fmt::format("there is no rule `{}`", name));
    return {.kind = Symbol::Kind::rule, .capital = is_capital(name[0]), .index = rule->second, .text = {}};
  }

  Symbol thread_symbol(std::string_view name) const {
    const size_t dot = name.find('.');
    if (dot == name.npos) fail(fmt::format("{{{0}}} must name a list and a field: {{{0}.field}}", name));
    const auto thread = threads_.find(lower_first(name.substr(0, dot)));
    if (thread == threads_.end()) fail(fmt::format("there is no list `{}`", name.substr(0, dot)));
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
    Rule rule{"", false, line_, {}};
    for (std::string_view part : split_at_bars(text)) rule.alternatives.push_back({1, read_sequence(part)});
    grammar_.rules.push_back(std::move(rule));
    return {.kind = Symbol::Kind::rule, .index = static_cast<std::uint32_t>(grammar_.rules.size() - 1), .text = {}};
  }

  /// Turns the weights of the alternatives, or rows, into log2 probabilities.
  template <class Choices>
  void normalise(Choices& choices, const std::string& what, size_t line) {
    line_ = line;
    if (choices.empty()) fail(what + " has no lines");
    double total = 0;
    for (const auto& choice : choices) total += choice.log2_probability;
    for (auto& choice : choices) {
      choice.log2_probability = std::log2(choice.log2_probability / total);
      if (!std::isfinite(choice.log2_probability)) fail(what + " has weights too far apart, or too large");
    }
  }

  std::string file_;
  std::vector<Line> lines_;
  size_t line_ = 0;
  Section section_ = Section::none;
  std::uint32_t current_ = 0;
  std::map<std::string, std::uint32_t> rules_, threads_;
  Grammar grammar_;
};

}  // namespace

Grammar Grammar::read(std::string_view text, const std::string& name) { return Reader(text, name).read(); }

Grammar Grammar::load(const std::filesystem::path& path) { return read(read_file(path), path.string()); }

}  // namespace cria
