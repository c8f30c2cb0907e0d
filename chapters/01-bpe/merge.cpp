// Merging with a scan for short pieces, and with a heap for long ones. Both give the same tokens.
//
// A merge leaves its token in the place of the left symbol and the place of the right one empty; `next` and `previous`
// lead from each symbol to its neighbours among those that are left.
#include "chapters/01-bpe/merge.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <queue>

namespace cria {
namespace {

constexpr std::size_t longest_short_piece = 256;        // about where the heap begins to pay
constexpr std::uint32_t highest_short_rank = 1u << 24;  // a rank and a place fill 32 bits

}  // namespace

Merger::Merger(const BpeModel& model)
    : Merger(model.merges, [&](const Merge& a, const Merge& b) {
        if (a.result == b.result && model.ranks_tokens) return true;
        if (!model.sentencepiece || model.sentencepiece->scores.empty()) return false;
        const std::vector<float>& scores = model.sentencepiece->scores;
        return scores[static_cast<std::size_t>(a.result)] == scores[static_cast<std::size_t>(b.result)];
      }) {}

Merger::Merger(const std::vector<Merge>& merges, const ShareRank& share_rank)
    : rules_(merges.size()), filter_(merges.size()), byte_rules_(256 * 256) {
  for (std::size_t i = 0; i < merges.size(); ++i) {
    const auto& [left, right, result] = merges[i];
    if (i == 0 || !share_rank(merges[i - 1], merges[i])) ++ranks_;
    const Rule rule = rules_.find_or_insert(left, right, {ranks_ - 1, result});
    filter_.insert(left, right);
    if ((left | right) < 256) byte_rules_[static_cast<std::size_t>(left << 8 | right)] = rule;
  }
}

std::size_t Merger::merge(std::vector<TokenId>& tokens) const {
  if (tokens.size() < 2 || ranks_ == 0) return 0;
  const bool is_short = tokens.size() <= longest_short_piece && ranks_ < highest_short_rank;
  return is_short ? merge_short(tokens) : merge_long(tokens);
}

std::size_t Merger::merge_short(std::vector<TokenId>& tokens) const {
  // solution: merge_short
  // A pair is its rank and its place in one number, so the least number is the next merge, the leftmost of equals.
  constexpr std::uint32_t no_pair = no_rank << 8;
  std::array<std::uint32_t, longest_short_piece> pairs;
  std::array<TokenId, longest_short_piece> merged;  // what each pair becomes
  std::array<std::uint16_t, longest_short_piece> next, previous;
  const std::size_t count = tokens.size(), padded = (count + 15) / 16 * 16;  // whole vectors
  const auto look_up = [&](std::size_t at, std::size_t after) {
    const Rule rule = rule_of(tokens[at], tokens[after]);
    pairs[at] = rule.rank << 8 | static_cast<std::uint32_t>(at), merged[at] = rule.merged;
  };
  for (std::size_t at = 0; at < count; ++at)
    next[at] = static_cast<std::uint16_t>(at + 1), previous[at] = static_cast<std::uint16_t>(at - 1);
  for (std::size_t at = 0; at + 1 < count; ++at) look_up(at, at + 1);
  std::fill(pairs.begin() + count - 1, pairs.begin() + padded, no_pair);

  for (std::size_t steps = 1;; ++steps) {
    std::uint32_t best = no_pair;
#pragma omp simd reduction(min : best)
    for (std::size_t at = 0; at < padded; ++at) best = std::min(best, pairs[at]);
    if (best >= no_pair) {
      std::size_t left = 0;
      for (std::size_t at = 0; at < count; at = next[at]) tokens[left++] = tokens[at];
      tokens.resize(left);
      return steps;
    }
    const std::size_t at = best & 0xFF, gone = next[at], after = next[gone];
    tokens[at] = merged[at];
    pairs[gone] = pairs[at] = no_pair;
    next[at] = static_cast<std::uint16_t>(after);
    if (after < count) previous[after] = static_cast<std::uint16_t>(at), look_up(at, after);
    if (at > 0) look_up(previous[at], at);
  }
  // end of solution
}

std::size_t Merger::merge_long(std::vector<TokenId>& tokens) const {
  using Index = std::uint32_t;
  const Index count = static_cast<Index>(tokens.size());
  std::vector<Index> next(count), previous(count);
  std::vector<Rule> rules(count);  // of the pair that begins at each place
  struct Candidate {
    std::uint32_t rank;
    Index at;
    auto operator<=>(const Candidate&) const = default;  // by rank, then from the left
  };
  std::vector<Candidate> start;
  for (Index at = 0; at < count; ++at) {
    next[at] = at + 1, previous[at] = at - 1;
    if (at + 1 < count) rules[at] = rule_of(tokens[at], tokens[at + 1]);
    if (rules[at].rank != no_rank) start.push_back({rules[at].rank, at});
  }
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates(std::greater<>(), std::move(start));

  std::size_t steps = 0;
  const auto look_up_and_offer = [&](Index at) {
    rules[at] = next[at] < count ? rule_of(tokens[at], tokens[next[at]]) : Rule{};
    if (rules[at].rank != no_rank) candidates.push({rules[at].rank, at});
  };
  for (; !candidates.empty(); ++steps) {
    const auto [rank, at] = candidates.top();
    candidates.pop();
    if (rules[at].rank != rank) continue;  // a neighbour has changed since
    const Index gone = next[at];
    tokens[at] = rules[at].merged;
    rules[gone] = {};
    next[at] = next[gone];
    if (next[at] < count) previous[next[at]] = at;
    look_up_and_offer(at);
    if (at > 0) look_up_and_offer(previous[at]);
  }
  Index left = 0;
  for (Index at = 0; at < count; at = next[at]) tokens[left++] = tokens[at];
  tokens.resize(left);
  return steps;
}

}  // namespace cria
