// Merging with a scan for short pieces, and with a heap for long ones. Both give the same tokens.
#include "chapters/01-bpe/merge.hpp"

#include <algorithm>
#include <functional>
#include <queue>

namespace cria {
namespace {

constexpr std::size_t longest_short_piece = 64;  // about where the heap begins to pay

}  // namespace

Merger::Merger(const std::vector<Merge>& merges) : rules_(merges.size()) {
  std::uint32_t rank = 0;
  for (std::size_t i = 0; i < merges.size(); ++i) {
    if (i > 0 && merges[i].result != merges[i - 1].result) ++rank;
    rules_.find_or_insert(merges[i].left, merges[i].right, {rank, merges[i].result});
  }
}

std::size_t Merger::merge(std::vector<Symbol>& symbols) const {
  for (std::size_t i = 0; i + 1 < symbols.size(); ++i) look_up(symbols[i], symbols[i + 1].token);
  return symbols.size() <= longest_short_piece ? merge_short(symbols) : merge_long(symbols);
}

std::size_t Merger::merge_short(std::vector<Symbol>& symbols) const {
  std::size_t steps = 0;
  while (!symbols.empty()) {
    ++steps;
    const auto best = std::min_element(symbols.begin(), symbols.end(),
                                       [](const Symbol& a, const Symbol& b) { return a.rank < b.rank; });
    if (best->rank == no_rank) break;
    best->token = best->merged;
    const auto next = symbols.erase(best + 1);
    if (next != symbols.end())
      look_up(*best, next->token);
    else
      *best = {.token = best->token};
    if (best != symbols.begin()) look_up(*(best - 1), best->token);
  }
  return steps;
}

std::size_t Merger::merge_long(std::vector<Symbol>& symbols) const {
  using Index = std::uint32_t;
  const Index count = static_cast<Index>(symbols.size());
  std::vector<Index> next(count), previous(count);  // neighbours among the symbols that are left
  struct Candidate {
    std::uint32_t rank;
    Index at;
    auto operator<=>(const Candidate&) const = default;  // by rank, then from the left
  };
  std::vector<Candidate> start;
  for (Index at = 0; at < count; ++at) {
    next[at] = at + 1, previous[at] = at - 1;
    if (symbols[at].rank != no_rank) start.push_back({symbols[at].rank, at});
  }
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates(std::greater<>(), std::move(start));

  std::size_t steps = 0;
  const auto look_up_and_offer = [&](Index at) {
    if (next[at] < count)
      look_up(symbols[at], symbols[next[at]].token);
    else
      symbols[at] = {.token = symbols[at].token};
    if (symbols[at].rank != no_rank) candidates.push({symbols[at].rank, at});
  };
  for (; !candidates.empty(); ++steps) {
    const auto [rank, at] = candidates.top();
    candidates.pop();
    if (symbols[at].rank != rank) continue;  // a neighbour has changed since
    const Index gone = next[at];
    symbols[at].token = symbols[at].merged;
    symbols[gone] = {};
    next[at] = next[gone];
    if (next[at] < count) previous[next[at]] = at;
    look_up_and_offer(at);
    if (at > 0) look_up_and_offer(previous[at]);
  }
  std::erase_if(symbols, [](const Symbol& symbol) { return symbol.token < 0; });
  return steps;
}

}  // namespace cria
