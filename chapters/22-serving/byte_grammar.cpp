#include "chapters/22-serving/byte_grammar.hpp"

#include <algorithm>
#include <deque>
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

/// Goes from the rules that are known to the sequences that waited for them, flattest first: each is looked at once.
class FlattestTexts {
 public:
  FlattestTexts(const ByteGrammar& grammar, bool empty_only)
      : levels_(grammar.rules.size(), endless), asked_by_(grammar.rules.size()) {
    for (RuleId rule = 0; rule < grammar.rules.size(); ++rule)
      for (const ByteSequence& sequence : grammar.rules[rule]) add(rule, sequence, empty_only);
  }

  std::vector<std::uint32_t> find() {
    for (; !next_.empty();) {
      const auto [rule, levels] = next_.front();
      next_.pop_front();
      if (levels_[rule] != endless) continue;
      levels_[rule] = levels;
      for (const auto& [index, nests] : asked_by_[rule]) {
        Sequence& sequence = sequences_[index];
        sequence.levels = std::max(sequence.levels, levels + nests);
        if (--sequence.missing > 0) continue;
        // One level deeper than this rule comes behind all that are as deep as it.
        if (sequence.levels > levels)
          next_.push_back({sequence.rule, sequence.levels});
        else
          next_.push_front({sequence.rule, sequence.levels});
      }
    }
    return levels_;
  }

 private:
  struct Sequence {
    RuleId rule;
    size_t missing = 0;  // symbols whose rule has no text yet
    std::uint32_t levels = 0;
  };
  struct Found {
    RuleId rule;
    std::uint32_t levels;
  };
  struct Asked {
    size_t sequence;
    bool nests;
  };

  void add(RuleId rule, const ByteSequence& symbols, bool empty_only) {
    Sequence sequence{rule};
    for (const ByteSymbol& symbol : symbols)
      if (symbol.rule != ByteSymbol::none)
        ++sequence.missing, asked_by_[symbol.rule].push_back({sequences_.size(), symbol.nests});
      else if (empty_only)
        ++sequence.missing;  // for ever
    if (sequence.missing == 0) next_.push_back({rule, 0});
    sequences_.push_back(sequence);
  }

  std::vector<std::uint32_t> levels_;
  std::vector<std::vector<Asked>> asked_by_;  // [rule]
  std::vector<Sequence> sequences_;
  std::deque<Found> next_;  // in order of their levels
};

/// Looks for a way back to a rule through those that a text can begin with.
class LeftRecursion {
 public:
  explicit LeftRecursion(const ByteGrammar& grammar)
      : grammar_(grammar), empty_(FlattestTexts(grammar, true).find()), state_(grammar.rules.size()) {}

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
        if (empty_[symbol.rule] == endless) break;
      }
    state_[rule] = State::done;
    return false;
  }

  const ByteGrammar& grammar_;
  std::vector<std::uint32_t> empty_;  // endless: has no empty text
  std::vector<State> state_;
};

}  // namespace

std::vector<std::uint32_t> least_levels(const ByteGrammar& grammar) { return FlattestTexts(grammar, false).find(); }

std::uint32_t levels_of(const ByteSequence& sequence, const std::vector<std::uint32_t>& levels) {
  std::uint32_t most = 0;
  for (const ByteSymbol& symbol : sequence)
    if (symbol.rule != ByteSymbol::none)
      most = std::max(most, levels[symbol.rule] == endless ? endless : levels[symbol.rule] + symbol.nests);
  return most;
}

void check_byte_grammar(ByteGrammar& grammar, std::string_view what) {
  const std::vector<std::uint32_t> levels = least_levels(grammar);
  if (levels[grammar.start] == endless) throw UserError(std::string(what) + " allows no finite text");
  if (levels[grammar.start] > deepest_text)
    throw UserError(std::string(what) + " asks for more than " + std::to_string(deepest_text) + " levels");
  for (auto& alternatives : grammar.rules)
    std::erase_if(alternatives, [&](const ByteSequence& sequence) { return levels_of(sequence, levels) == endless; });
  if (LeftRecursion(grammar).found())
    throw UserError(std::string(what) + " leads back to itself with nothing in between");
}

}  // namespace cria
