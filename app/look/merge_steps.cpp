#include "app/look/merge_steps.hpp"

#include <optional>

namespace cria::look {

MergeSteps::MergeSteps(const BpeModel& model) : model_(model) {
  for (size_t i = 0; i < model.merges.size(); ++i) order_.try_emplace({model.merges[i].left, model.merges[i].right}, i);
}

std::vector<MergeStep> MergeSteps::of(std::string_view word, const std::vector<TokenId>& tokens) const {
  std::vector<MergeStep> steps(1);
  for (size_t begin = 0, size; begin < word.size(); begin += size) {
    size = model_.alphabet == Alphabet::bytes ? 1 : character_at(word, begin).size;
    const size_t symbol = model_.vocabulary.find(word.substr(begin, size));
    if (symbol == ByteStrings::npos) return {};
    steps[0].tokens.push_back(TokenId(symbol));
  }
  for (;;) {
    const std::vector<TokenId>& now = steps.back().tokens;
    std::optional<size_t> first, at;
    for (size_t i = 0; i + 1 < now.size(); ++i)
      if (const auto known = order_.find({now[i], now[i + 1]});
          known != order_.end() && (!first || known->second < *first))
        first = known->second, at = i;
    if (!first) break;
    MergeStep next{*first + 1, now};
    next.tokens.erase(next.tokens.begin() + std::ptrdiff_t(*at));
    next.tokens[*at] = model_.merges[*first].result;
    steps.push_back(std::move(next));
  }
  if (steps.back().tokens != tokens) return {};
  return steps;
}

}  // namespace cria::look
