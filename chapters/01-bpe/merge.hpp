// Merging: from the symbols of one piece to its tokens. The heart of encoding.
//
// The rule: of all neighbouring pairs take the one whose merge was learned first, the leftmost of equals; merge; repeat
// until no pair merges. Short pieces do just that; long ones keep the pairs in a heap, so that a piece of a megabyte
// takes n log n steps instead of n^2.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "chapters/01-bpe/bpe_model.hpp"
#include "chapters/01-bpe/pair_map.hpp"

namespace cria {

class Merger {
 public:
  Merger() = default;
  /// Each merge has a rank of its own.
  explicit Merger(const std::vector<Merge>& merges)
      : Merger(merges, [](const Merge&, const Merge&) { return false; }) {}
  /// As the model says: with scores, merges that make tokens of equal score share a rank.
  explicit Merger(const BpeModel& model);

  /// Merges in place until nothing merges. Returns the number of steps: in a long piece at most 3 * tokens.size().
  std::size_t merge(std::vector<TokenId>& tokens) const;

 private:
  using ShareRank = std::function<bool(const Merge&, const Merge&)>;
  Merger(const std::vector<Merge>& merges, const ShareRank& share_rank);

  static constexpr std::uint32_t no_rank = static_cast<std::uint32_t>(-1);
  struct Rule {
    std::uint32_t rank = no_rank;  // the place in the order of learning; lower goes first
    TokenId merged = -1;           // what the pair becomes
  };
  Rule rule_of(TokenId left, TokenId right) const {
    if ((left | right) < 256) return byte_rules_[static_cast<std::size_t>(left << 8 | right)];
    if (!filter_.may_contain(left, right)) return {};
    const Rule* rule = rules_.find(left, right);
    return rule ? *rule : Rule{};
  }
  std::size_t merge_short(std::vector<TokenId>& tokens) const;
  std::size_t merge_long(std::vector<TokenId>& tokens) const;

  PairMap<Rule> rules_;
  PairFilter filter_;             // of the pairs in rules_
  std::vector<Rule> byte_rules_;  // the pairs of tokens below 256, mostly bytes: these begin every piece
  std::uint32_t ranks_ = 0;
};

}  // namespace cria
