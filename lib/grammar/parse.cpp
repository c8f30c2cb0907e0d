#include "lib/grammar/parse.hpp"

#include <algorithm>

#include "lib/grammar/match.hpp"

namespace cria {

Parser::Parser(const Grammar& grammar) : grammar_(grammar) {
  rule_first_.resize(grammar.rules.size());
  thread_first_.resize(grammar.threads.size());
  for (size_t i = 0; i < grammar.rules.size(); ++i) {
    rule_.push_back(first_of({{.kind = Symbol::Kind::rule, .index = static_cast<std::uint32_t>(i), .text = {}}}));
    const auto is_text = [](const Symbol& symbol) { return symbol.kind == Symbol::Kind::text; };
    is_plain_.push_back(!grammar.rules[i].is_sentence &&
                        std::ranges::all_of(grammar.rules[i].alternatives, [&](const Alternative& alternative) {
                          return std::ranges::all_of(alternative.sequence, is_text);
                        }));
  }
  for (size_t i = 0; i < grammar.threads.size(); ++i) firsts_of_thread(static_cast<std::uint32_t>(i));
  std::vector<unsigned> left(2 * grammar.rules.size());
  find_sentences(grammar.start, false, left);
  std::ranges::sort(any_sentence_, {}, [](const Symbol& symbol) { return std::pair(symbol.index, symbol.capital); });
  start_ = {.kind = Symbol::Kind::rule, .index = grammar.start, .text = {}};
}

unsigned Parser::find_sentences(std::uint32_t rule, bool capital, std::vector<unsigned>& left) {
  unsigned& result = left[2 * rule + capital];
  if (result != 0) return result;
  if (grammar_.rules[rule].is_sentence) {
    any_sentence_.push_back({.kind = Symbol::Kind::rule, .capital = capital, .index = rule, .text = {}});
    return result = 1;
  }
  for (const Alternative& alternative : grammar_.rules[rule].alternatives)
    result |= find_sentences(alternative.sequence, capital, left);
  return result;
}

unsigned Parser::find_sentences(const Sequence& sequence, bool capital, std::vector<unsigned>& left) {
  unsigned now = capital ? 2 : 1;
  for (const Symbol& symbol : sequence) {
    const auto after = [&](bool due) {
      if (symbol.kind == Symbol::Kind::rule) return find_sentences(symbol.index, due, left);
      unsigned result = 0;
      for (const Row& row : grammar_.threads[symbol.index].rows)
        result |= find_sentences(row.fields[symbol.field], due, left);
      return result;
    };
    now = (now & 1 ? after(symbol.capital) : 0) | (now & 2 ? after(true) : 0);
  }
  return now;
}

const std::vector<Parser::First>& Parser::firsts_of_rule(std::uint32_t rule) {
  std::vector<First>& firsts = rule_first_[rule];
  if (firsts.empty())
    for (const Alternative& alternative : grammar_.rules[rule].alternatives)
      firsts.push_back(first_of(alternative.sequence));
  return firsts;
}

const std::vector<std::vector<Parser::First>>& Parser::firsts_of_thread(std::uint32_t thread) {
  auto& rows = thread_first_[thread];
  if (rows.empty())
    for (const Row& row : grammar_.threads[thread].rows)
      for (std::vector<First>& firsts = rows.emplace_back(); const Sequence& field : row.fields)
        firsts.push_back(first_of(field));
  return rows;
}

Parser::First Parser::first_of(const Sequence& sequence) {
  First first;
  bool capital = false;  // one is due
  for (const Symbol& symbol : sequence) {
    First here;
    const auto join = [&](const First& other) {
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
      for (const First& other : firsts_of_rule(symbol.index)) join(other);
      if (grammar_.rules[symbol.index].is_sentence) here.bytes.set(' ');
    } else {
      for (const auto& fields : firsts_of_thread(symbol.index)) join(fields[symbol.field]);
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
  Matcher matcher(*this, text, Matcher::Wanted::probability);
  matcher.run(start_);
  if (matcher.derivations() == 0) return std::nullopt;
  return Parse{matcher.log2_probability(), matcher.derivations(), matcher.rows()};
}

bool Parser::sentence(std::string_view text) const {
  Matcher matcher(*this, text, Matcher::Wanted::probability);
  return std::ranges::any_of(any_sentence_, [&](const Symbol& symbol) {
    matcher.run(symbol);
    return matcher.derivations() > 0;
  });
}

std::vector<StoryWay> Parser::ways_on(std::string_view beginning) const {
  Matcher matcher(*this, beginning, Matcher::Wanted::ways_on);
  matcher.run(start_);
  return matcher.ways_on();
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
    matcher.run(symbol);
    Mismatch here = matcher.mismatch();
    if (here.position > furthest.position || furthest.expected.empty()) furthest = std::move(here);
  }
  return furthest;
}

}  // namespace cria
