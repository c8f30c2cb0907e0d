#include "lib/grammar/match.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "lib/base/check.hpp"

namespace cria {
namespace {

constexpr size_t most_ways = size_t{1} << 21;  // some 100 MB, and a second

unsigned char lower(char c) { return static_cast<unsigned char>(c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c); }
char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

constexpr size_t largest = std::numeric_limits<size_t>::max();
size_t sum(size_t a, size_t b) { return a > largest - b ? largest : a + b; }
size_t times(size_t a, size_t b) { return a > largest / b ? largest : a * b; }  // no end has 0 derivations
double log2_sum(double a, double b) { return a + std::log2(1 + std::exp2(b - a)); }

}  // namespace

Matcher::Matcher(const Parser& parser, std::string_view text, Wanted wanted)
    : parser_(parser), grammar_(parser.grammar_), text_(text), wanted_(wanted) {
  drawn_.emplace_back(grammar_.threads.size());
}

void Matcher::run(const Symbol& symbol) {
  Ends ends;
  read(symbol, {}, ends);
  merge(ends);
  for (const End& end : ends) {
    if (wanted_ == Wanted::ways_on) {
      add_way_on(end);
      continue;
    }
    if (end.position < text_.size()) {
      if (wanted_ == Wanted::reason) note(end.position, 0, "the end", nullptr);
      continue;
    }
    const double probability =
        end.derivations == 1 ? in_order(end.probability) : products_[end.probability].log2_probability;
    log2_probability_ = derivations_ == 0 ? probability : log2_sum(log2_probability_, probability);
    derivations_ = sum(derivations_, end.derivations);
    rows_ = end.drawn;
  }
}

void Matcher::read(const Sequence& sequence, End at, Ends& ends) {
  size_t next = 0;
  if (goes_on(at)) return ends.push_back(at);
  for (; next < sequence.size() && sequence[next].kind == Symbol::Kind::text; ++next)
    if (!match(sequence[next].text, at, nullptr)) return;
  if (next == sequence.size() || goes_on(at)) return ends.push_back(at);
  Ends now = take_spare(), then = take_spare();
  read(sequence[next], at, now);
  for (merge(now); ++next < sequence.size() && !now.empty(); now.swap(then)) {
    then.clear();
    for (const End& end : now) read(sequence[next], end, then);
    merge(then);
  }
  ends.insert(ends.end(), now.begin(), now.end());
  spare_.push_back(std::move(now));
  spare_.push_back(std::move(then));
}

/// An empty list, with the memory of one that is no longer needed.
Matcher::Ends Matcher::take_spare() {
  if (spare_.empty()) return {};
  Ends ends = std::move(spare_.back());
  spare_.pop_back();
  ends.clear();
  return ends;
}

void Matcher::read(const Symbol& symbol, End at, Ends& ends) {
  if (goes_on(at)) return ends.push_back(at);
  at.capital = at.capital || symbol.capital;
  if (symbol.kind == Symbol::Kind::thread)
    read_thread(symbol, at, ends);
  else if (symbol.kind == Symbol::Kind::rule)
    read_rule(symbol.index, at, ends);
  else if (match(symbol.text, at, nullptr))
    ends.push_back(at);
}

void Matcher::read_rule(std::uint32_t index, const End& from, Ends& ends) {
  if (!possible(parser_.rule_[index], from)) return;
  if (parser_.is_plain_[index]) return read_alternatives(index, from, ends);
  const auto [known, is_new] = known_.try_emplace({index, from.key()});
  Ends& given = known->second;
  if (is_new) {
    End at = {.position = from.position, .drawn = from.drawn};
    if (!grammar_.rules[index].is_sentence || at.position == 0 || match(" ", at, nullptr)) {
      if (!goes_on(at)) at.capital = from.capital;  // one that is due is left to the sentence
      read_alternatives(index, at, given);
      merge(given);
    }
  }
  for (End end : given) {
    end.derivations = times(from.derivations, end.derivations);
    end.probability = product(from.probability, end.probability);
    ends.push_back(end);
  }
}

void Matcher::read_alternatives(std::uint32_t index, const End& from, Ends& ends) {
  if (goes_on(from)) return ends.push_back(from);
  const std::vector<Alternative>& alternatives = grammar_.rules[index].alternatives;
  for (size_t i = 0; i < alternatives.size(); ++i) {
    if (!possible(parser_.rule_first_[index][i], from)) continue;
    End at = from;
    at.probability = product(from.probability, factor(alternatives[i].log2_probability));
    read(alternatives[i].sequence, at, ends);
  }
}

void Matcher::read_thread(const Symbol& symbol, const End& from, Ends& ends) {
  const std::vector<Row>& rows = grammar_.threads[symbol.index].rows;
  if (const Row* row = drawn_[from.drawn][symbol.index]) {
    const Sequence& field = row->fields[symbol.field];
    if (field.size() != 1 || field.front().kind != Symbol::Kind::text) return read(field, from, ends);
    End at = from;
    if (match(field.front().text, at, &symbol)) ends.push_back(at);
    return;
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!possible(parser_.thread_first_[symbol.index][i][symbol.field], from)) continue;
    End at = from;
    at.probability = product(from.probability, factor(rows[i].log2_probability));
    const size_t before = ends.size();
    read(rows[i].fields[symbol.field], at, ends);
    for (size_t e = before; e < ends.size(); ++e)
      if (!goes_on(ends[e])) ends[e].drawn = draw(ends[e].drawn, symbol.index, &rows[i]);
  }
}

bool Matcher::possible(const Parser::First& first, const End& from) const {
  if (first.empty || wanted_ == Wanted::reason) return true;
  if (from.position >= text_.size()) return wanted_ == Wanted::ways_on;
  const char c = text_[from.position];
  return first.bytes[static_cast<unsigned char>(c)] || (from.capital && first.bytes[lower(c)]);
}

/// Moves past the literal; `recalled` is the thread symbol that it stems from, if any.
bool Matcher::match(std::string_view literal, End& at, const Symbol* recalled) {
  if (literal.empty() || goes_on(at)) return true;
  size_t same = 0;
  while (same < literal.size() && at.position + same < text_.size()) {
    const char expected = at.capital && same == 0 ? upper(literal[0]) : literal[same];
    if (text_[at.position + same] != expected) break;
    ++same;
  }
  if (same < literal.size()) {
    if (wanted_ == Wanted::ways_on && at.position + same == text_.size()) {
      std::string more(literal.substr(same));
      if (at.capital && same == 0) more[0] = upper(more[0]);
      go_on(at, std::move(more));
      return true;
    }
    if (wanted_ == Wanted::reason) note(at.position, same, literal, recalled);
    return false;
  }
  at.position += static_cast<std::uint32_t>(same);
  at.capital = false;
  return true;
}

/// The text has come to its end inside a literal, of which `more` is left: an end of its own, whatever was drawn.
void Matcher::go_on(End& at, std::string more) {
  const auto [known, is_new] = more_index_.try_emplace(std::move(more), static_cast<std::uint32_t>(more_.size()));
  if (is_new) more_.push_back({known->first, -std::numeric_limits<double>::infinity()});
  at.position = static_cast<std::uint32_t>(text_.size()) + 1 + known->second;
  at.capital = false;
  at.drawn = 0;
}

void Matcher::add_way_on(End end) {
  if (end.position < text_.size()) return;
  if (!goes_on(end)) go_on(end, "");
  double& sum = more_[end.position - text_.size() - 1].log2_probability;
  sum = log2_sum(products_[end.probability].log2_probability, sum);  // the sum may be -infinity
}

void Matcher::count_ways(size_t more) {
  ways_ += more;
  if (ways_ > most_ways)
    throw UserError(fmt::format("the grammar is too ambiguous: a text of {} bytes can be begun in more than {} ways",
                                text_.size(), most_ways));
}

/// Makes one of those that go on in the same way.
void Matcher::merge(Ends& ends) {
  count_ways(ends.size());
  if (ends.size() < 2) return;
  std::ranges::sort(ends, {}, &End::key);
  size_t last = 0;
  for (size_t i = 1; i < ends.size(); ++i) {
    if (ends[i].key() != ends[last].key()) {
      ends[++last] = ends[i];
      continue;
    }
    ends[last].derivations = sum(ends[last].derivations, ends[i].derivations);
    ends[last].probability = factor(
        log2_sum(products_[ends[last].probability].log2_probability, products_[ends[i].probability].log2_probability));
  }
  ends.resize(last + 1);
}

std::uint32_t Matcher::draw(std::uint32_t drawn, std::uint32_t thread, const Row* row) {
  DrawnRows rows = drawn_[drawn];
  rows[thread] = row;
  const auto [known, is_new] = drawn_index_.try_emplace(std::move(rows), static_cast<std::uint32_t>(drawn_.size()));
  if (is_new) {
    count_ways(known->first.size());  // each takes memory
    drawn_.push_back(known->first);
  }
  return known->second;
}

Matcher::Product Matcher::factor(double log2_probability) {
  if (log2_probability == 0) return 0;
  products_.push_back({log2_probability});
  return static_cast<Product>(products_.size() - 1);
}

Matcher::Product Matcher::product(Product before, Product last) {
  if (before == 0 || last == 0) return before + last;
  products_.push_back({products_[before].log2_probability + products_[last].log2_probability, before, last});
  return static_cast<Product>(products_.size() - 1);
}

double Matcher::in_order(Product product) const {
  double total = 0;
  for (std::vector<Product> left{product}; !left.empty();) {
    const Factors factors = products_[left.back()];
    left.pop_back();
    if (factors.before == 0)
      total += factors.log2_probability;
    else
      left.insert(left.end(), {factors.last, factors.before});
  }
  return total;
}

}  // namespace cria
