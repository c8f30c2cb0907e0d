#include "chapters/22-serving/byte_grammar.hpp"

#include <algorithm>
#include <string>

#include "lib/base/check.hpp"

namespace cria {

ByteSymbol one_of(int first, int last) {
  ByteSymbol symbol;
  for (int byte = first; byte <= last; ++byte) symbol.bytes.set(static_cast<size_t>(byte));
  return symbol;
}

ByteSymbol one_of(std::string_view ranges) {
  ByteSymbol symbol;
  for (size_t i = 0; i < ranges.size(); ++i) {
    const bool range = i + 2 < ranges.size() && ranges[i + 1] == '-';
    symbol.bytes |=
        one_of(static_cast<unsigned char>(ranges[i]), static_cast<unsigned char>(ranges[range ? i + 2 : i])).bytes;
    if (range) i += 2;
  }
  return symbol;
}

ByteSequence literal(std::string_view bytes) {
  ByteSequence sequence;
  for (const char byte : bytes) sequence.push_back(one_of(std::string_view(&byte, 1)));
  return sequence;
}

ByteSequence operator+(ByteSequence first, const ByteSequence& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

namespace {

/// The rules that some finite text has: those with an alternative of bytes and such rules, and so on.
std::vector<bool> finite_rules(const ByteGrammar& grammar, bool empty_only) {
  std::vector<bool> found(grammar.rules.size());
  const auto fits = [&](const ByteSequence& sequence) {
    return std::ranges::all_of(sequence, [&](const ByteSymbol& symbol) {
      return symbol.rule == ByteSymbol::none ? !empty_only : found[symbol.rule];
    });
  };
  for (bool more = true; more;) {
    more = false;
    for (size_t rule = grammar.rules.size(); rule-- > 0;)  // later rules tend to be parts of earlier ones
      if (!found[rule] && std::ranges::any_of(grammar.rules[rule], fits)) more = found[rule] = true;
  }
  return found;
}

/// Looks for a way back to a rule through those that a text can begin with.
class LeftRecursion {
 public:
  explicit LeftRecursion(const ByteGrammar& grammar)
      : grammar_(grammar), empty_(finite_rules(grammar, true)), state_(grammar.rules.size()) {}

  bool found() {
    for (RuleId rule = 0; rule < state_.size(); ++rule)
      if (visit(rule)) return true;
    return false;
  }

 private:
  enum class State : std::uint8_t { unseen, open, done };

  bool visit(RuleId rule) {
    if (state_[rule] != State::unseen) return state_[rule] == State::open;
    state_[rule] = State::open;
    for (const ByteSequence& sequence : grammar_.rules[rule])
      for (const ByteSymbol& symbol : sequence) {
        if (symbol.rule == ByteSymbol::none) break;
        if (visit(symbol.rule)) return true;
        if (!empty_[symbol.rule]) break;
      }
    state_[rule] = State::done;
    return false;
  }

  const ByteGrammar& grammar_;
  std::vector<bool> empty_;
  std::vector<State> state_;
};

}  // namespace

void check_byte_grammar(ByteGrammar& grammar, std::string_view what) {
  const std::vector<bool> finite = finite_rules(grammar, false);
  if (!finite[grammar.start]) throw UserError(std::string(what) + " allows no finite text");
  for (auto& alternatives : grammar.rules)
    std::erase_if(alternatives, [&](const ByteSequence& sequence) {
      return std::ranges::any_of(
          sequence, [&](const ByteSymbol& symbol) { return symbol.rule != ByteSymbol::none && !finite[symbol.rule]; });
    });
  if (LeftRecursion(grammar).found())
    throw UserError(std::string(what) + " leads back to itself with nothing in between");
}

}  // namespace cria
