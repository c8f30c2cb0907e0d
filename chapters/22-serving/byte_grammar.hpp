// ByteGrammar: rules whose sequences end in bytes. They may lead back to themselves, as JSON's values do.
#pragma once

#include <bitset>
#include <cstdint>
#include <string_view>
#include <vector>

namespace cria {

using RuleId = std::uint32_t;

struct ByteSymbol {
  static constexpr RuleId none = ~RuleId(0);

  std::bitset<256> bytes;  // one of these
  RuleId rule = none;      // or what this rule gives
  bool nests = false;      // which counts as one level deeper
};
using ByteSequence = std::vector<ByteSymbol>;

struct ByteGrammar {
  std::vector<std::vector<ByteSequence>> rules;  // [rule][alternative]
  RuleId start = 0;
  size_t symbols = 0;  // of the rules that were added with their alternatives

  RuleId add(std::vector<ByteSequence> alternatives = {}) {
    for (const ByteSequence& sequence : alternatives) symbols += sequence.size();
    rules.push_back(std::move(alternatives));
    return static_cast<RuleId>(rules.size() - 1);
  }
};

/// One byte of "a-z" or "a-zA-Z0"; every byte stands for itself where no dash follows.
ByteSymbol one_of(std::string_view ranges);
/// One byte from first to last.
ByteSymbol one_of(int first, int last);
inline ByteSymbol the_rule(RuleId rule, bool nests = false) { return {{}, rule, nests}; }
/// These bytes, one after the other.
ByteSequence literal(std::string_view bytes);
/// One sequence behind the other.
ByteSequence operator+(ByteSequence first, const ByteSequence& second);

inline constexpr std::uint32_t deepest_text = 64;  // levels of symbols that nest
inline constexpr std::uint32_t endless = ~std::uint32_t(0);

/// For each rule the levels of its flattest text, endless where it has no finite one.
std::vector<std::uint32_t> least_levels(const ByteGrammar& grammar);
/// The same for a sequence, from those of the rules.
std::uint32_t levels_of(const ByteSequence& sequence, const std::vector<std::uint32_t>& levels);

/// Drops the alternatives that no finite text has. Throws UserError "<what> …" where none is left of the start, where
/// its flattest text is deeper than deepest_text, or where a rule leads back to itself without a byte in between.
void check_byte_grammar(ByteGrammar& grammar, std::string_view what);

}  // namespace cria
