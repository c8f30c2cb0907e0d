// Merging: from the symbols of one piece to its tokens. The heart of encoding.
//
// The rule: of all neighbouring pairs take the one whose merge was learnt first, the leftmost of equals; merge; repeat
// until no pair merges. Short pieces do just that; long ones keep the pairs in a heap, so that a piece of a megabyte
// takes n log n steps instead of n^2.
#pragma once

#include <cstdint>
#include <vector>

#include "chapters/01-bpe/bpe_model.hpp"
#include "chapters/01-bpe/pair_map.hpp"

namespace cria {

class Merger {
 public:
  Merger() = default;
  explicit Merger(const std::vector<Merge>& merges);

  /// A token of the piece, and what it would become together with the next one.
  struct Symbol {
    TokenId token = -1;
    std::uint32_t rank = no_rank;  // of the merge with the next symbol; lower goes first
    TokenId merged = -1;
  };
  static constexpr std::uint32_t no_rank = static_cast<std::uint32_t>(-1);

  /// Merges in place until nothing merges. Returns the number of steps: in a long piece at most 3 * symbols.size().
  std::size_t merge(std::vector<Symbol>& symbols) const;

 private:
  struct Rule {
    std::uint32_t rank = no_rank;
    TokenId merged = -1;
  };
  void look_up(Symbol& symbol, TokenId next) const {
    const Rule* rule = rules_.find(symbol.token, next);
    symbol.rank = rule ? rule->rank : no_rank;
    symbol.merged = rule ? rule->merged : -1;
  }
  std::size_t merge_short(std::vector<Symbol>& symbols) const;
  std::size_t merge_long(std::vector<Symbol>& symbols) const;

  PairMap<Rule> rules_;
};

}  // namespace cria
