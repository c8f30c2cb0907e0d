// A top-down parser with backtracking: generation in reverse.
//
// It walks the grammar as generate() does, but where that draws one alternative it tries each, and gives one up as soon
// as its text differs. What is left to match is a linked list of frames on the C++ stack, so trying costs no memory;
// depth is bounded, because rules cannot be recursive. Threads are bound when first met and unbound on the way back.
#include "lib/grammar/parse.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "lib/grammar/lines.hpp"

namespace cria {
namespace {

unsigned char lower(char c) { return static_cast<unsigned char>(c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c); }
bool is_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }
char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

}  // namespace

/// One run over one text.
class Matcher {
 public:
  enum class Wanted { all, first, reason };

  Matcher(const Parser& parser, std::string_view text, Wanted wanted)
      : parser_(parser), grammar_(parser.grammar_), text_(text), wanted_(wanted), drawn_(grammar_.threads.size()) {}

  void run(const Sequence& sequence) { advance({&sequence, 0, nullptr}, 0, false, 0); }

  size_t derivations() const { return derivations_; }
  double probability() const { return log2_probability_; }
  Mismatch mismatch() const {
    const size_t shown = std::min<size_t>(expected_.size(), 4);
    return {furthest_, fmt::format("{}{}", fmt::join(expected_.begin(), expected_.begin() + shown, " or "),
                                   shown < expected_.size() ? " or …" : "")};
  }

 private:
  /// What is still to match: the rest of a sequence, then that of the frame below.
  struct Frame {
    const Sequence* sequence;
    size_t next;
    const Frame* below;
  };

  void advance(Frame at, size_t position, bool capital, double log2_probability) {
    while (wanted_ != Wanted::first || derivations_ == 0) {
      while (at.next == at.sequence->size()) {
        if (!at.below) return finish(position, log2_probability);
        at = *at.below;
      }
      const Symbol& symbol = (*at.sequence)[at.next++];
      capital = capital || symbol.capital;
      if (symbol.kind == Symbol::Kind::rule) {
        const Rule& rule = grammar_.rules[symbol.index];
        bool none = false;  // a capital that is due is left to the sentence
        if (rule.is_sentence && position > 0 && !match(" ", position, none, nullptr)) return;
        for (size_t i = 0; i < rule.alternatives.size(); ++i)
          if (possible(parser_.rule_first_[symbol.index][i], position, capital))
            advance({&rule.alternatives[i].sequence, 0, &at}, position, capital,
                    log2_probability + rule.alternatives[i].log2_probability);
        return;
      }
      if (symbol.kind == Symbol::Kind::thread && !drawn_[symbol.index])
        return draw(symbol, at, position, capital, log2_probability);
      const Sequence* field = nullptr;
      if (symbol.kind == Symbol::Kind::thread) {
        field = &drawn_[symbol.index]->fields[symbol.field];
        if (field->size() != 1 || field->front().kind != Symbol::Kind::text)
          return advance({field, 0, &at}, position, capital, log2_probability);
      }
      if (!match(field ? field->front().text : symbol.text, position, capital, field ? &symbol : nullptr)) return;
    }
  }

  void draw(const Symbol& symbol, const Frame& at, size_t position, bool capital, double log2_probability) {
    const Thread& thread = grammar_.threads[symbol.index];
    for (size_t i = 0; i < thread.rows.size(); ++i) {
      if (!possible(parser_.thread_first_[symbol.index][i][symbol.field], position, capital)) continue;
      drawn_[symbol.index] = &thread.rows[i];
      advance({&thread.rows[i].fields[symbol.field], 0, &at}, position, capital,
              log2_probability + thread.rows[i].log2_probability);
    }
    drawn_[symbol.index] = nullptr;
  }

  bool possible(const Parser::First& first, size_t position, bool capital) const {
    if (first.empty || wanted_ == Wanted::reason) return true;
    if (position >= text_.size()) return false;
    const char c = text_[position];
    return first.bytes[static_cast<unsigned char>(c)] || (capital && first.bytes[lower(c)]);
  }

  /// Moves `position` past the literal; `recalled` is the thread symbol that it stems from, if any.
  bool match(std::string_view literal, size_t& position, bool& capital, const Symbol* recalled) {
    if (literal.empty()) return true;
    size_t same = 0;
    while (same < literal.size() && position + same < text_.size()) {
      const char expected = capital && same == 0 ? upper(literal[0]) : literal[same];
      if (text_[position + same] != expected) break;
      ++same;
    }
    if (same < literal.size()) {
      if (wanted_ == Wanted::reason) note(position, same, literal, recalled);
      return false;
    }
    position += same;
    capital = false;
    return true;
  }

  void finish(size_t position, double log2_probability) {
    if (position < text_.size()) {
      if (wanted_ == Wanted::reason) note(position, 0, "the end", nullptr);
      return;
    }
    // The sum of the derivations' probabilities, in logarithms.
    if (derivations_++ == 0)
      log2_probability_ = log2_probability;
    else
      log2_probability_ += std::log2(1 + std::exp2(log2_probability - log2_probability_));
  }

  /// Remembers what was expected at the furthest word that fits nowhere. Whole words count: that Mia and Milo begin
  /// alike does not make one a better guess for the other. The literal was `same` as the text from `begin` on.
  void note(size_t begin, size_t same, std::string_view literal, const Symbol* recalled) {
    size_t position = begin + same;
    while (position > 0 && position <= text_.size() && is_letter(text_[position - 1])) --position;
    if (position < furthest_) return;
    if (position > furthest_) expected_.clear();
    furthest_ = position;
    std::string text(trim(literal.substr(position > begin ? position - begin : 0)));
    if (text.empty()) text = "a space";
    if (recalled) {
      const Thread& thread = grammar_.threads[recalled->index];
      text += fmt::format(" ({}.{}, drawn before)", thread.name, thread.fields[recalled->field]);
    }
    if (std::find(expected_.begin(), expected_.end(), text) != expected_.end()) return;
    expected_.insert(recalled ? expected_.begin() : expected_.end(), std::move(text));  // what tells most comes first
  }

  const Parser& parser_;
  const Grammar& grammar_;
  const std::string_view text_;
  const Wanted wanted_;
  std::vector<const Row*> drawn_;
  size_t derivations_ = 0;
  double log2_probability_ = 0;
  size_t furthest_ = 0;
  std::vector<std::string> expected_;
};

Parser::Parser(const Grammar& grammar) : grammar_(grammar) {
  for (const Rule& rule : grammar.rules)
    for (std::vector<First>& firsts = rule_first_.emplace_back(); const Alternative& alternative : rule.alternatives)
      firsts.push_back(first_of(alternative.sequence));
  for (const Thread& thread : grammar.threads)
    for (auto& rows = thread_first_.emplace_back(); const Row& row : thread.rows)
      for (std::vector<First>& firsts = rows.emplace_back(); const Sequence& field : row.fields)
        firsts.push_back(first_of(field));
  std::vector<unsigned> left(2 * grammar.rules.size());
  find_sentences(grammar.start, false, left);
  std::ranges::sort(any_sentence_, {}, [](const Symbol& symbol) { return std::pair(symbol.index, symbol.capital); });
  start_ = {{.kind = Symbol::Kind::rule, .index = grammar.start, .text = {}}};
}

unsigned Parser::find_sentences(std::uint32_t rule, bool capital, std::vector<unsigned>& left) {
  unsigned& result = left[2 * rule + capital];
  if (result != 0) return result;
  if (grammar_.rules[rule].is_sentence) {
    any_sentence_.push_back({.kind = Symbol::Kind::rule, .capital = capital, .index = rule, .text = {}});
    return result = 1;
  }
  for (const Alternative& alternative : grammar_.rules[rule].alternatives) {
    unsigned now = capital ? 2 : 1;
    for (const Symbol& symbol : alternative.sequence)
      now = (now & 1 ? find_sentences(symbol.index, symbol.capital, left) : 0) |
            (now & 2 ? find_sentences(symbol.index, true, left) : 0);
    result |= now;
  }
  return result;
}

Parser::First Parser::first_of(const Sequence& sequence) const {
  First first;
  bool capital = false;  // one is due
  for (const Symbol& symbol : sequence) {
    First here;
    const auto join = [&](const Sequence& part) {
      const First other = first_of(part);
      here.bytes |= other.bytes;
      here.empty |= other.empty;
      here.capital |= other.capital;
    };
    if (symbol.kind == Symbol::Kind::text) {
      if (symbol.text.empty())
        here.empty = true;
      else
        here.bytes.set(static_cast<unsigned char>(symbol.text[0]));
    } else if (symbol.kind == Symbol::Kind::rule) {
      for (const Alternative& alternative : grammar_.rules[symbol.index].alternatives) join(alternative.sequence);
      if (grammar_.rules[symbol.index].is_sentence) here.bytes.set(' ');
    } else {
      for (const Row& row : grammar_.threads[symbol.index].rows) join(row.fields[symbol.field]);
    }
    first.bytes |= here.bytes;
    capital = capital || symbol.capital;
    if (capital)  // it may take the first letter's place
      for (int c = 'a'; c <= 'z'; ++c)
        if (here.bytes[static_cast<size_t>(c)]) first.bytes.set(static_cast<size_t>(c - 'a' + 'A'));
    if (!here.empty) return first;
    capital = capital || here.capital;
  }
  first.empty = true;
  first.capital = capital;
  return first;
}

std::optional<Parse> Parser::story(std::string_view text) const {
  Matcher matcher(*this, text, Matcher::Wanted::all);
  matcher.run(start_);
  if (matcher.derivations() == 0) return std::nullopt;
  return Parse{matcher.probability(), matcher.derivations()};
}

bool Parser::sentence(std::string_view text) const {
  for (const Symbol& symbol : any_sentence_) {
    Matcher matcher(*this, text, Matcher::Wanted::first);
    matcher.run({symbol});
    if (matcher.derivations() > 0) return true;
  }
  return false;
}

Mismatch Parser::why_not_story(std::string_view text) const {
  Matcher matcher(*this, text, Matcher::Wanted::reason);
  matcher.run(start_);
  return matcher.mismatch();
}

Mismatch Parser::why_not_sentence(std::string_view text) const {
  Mismatch furthest;
  for (const Symbol& symbol : any_sentence_) {
    Matcher matcher(*this, text, Matcher::Wanted::reason);
    matcher.run({symbol});
    Mismatch here = matcher.mismatch();
    if (here.position > furthest.position || furthest.expected.empty()) furthest = std::move(here);
  }
  return furthest;
}

}  // namespace cria
