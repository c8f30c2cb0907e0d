#include "chapters/22-serving/draft.hpp"

#include <algorithm>

#include "chapters/22-serving/acceptance.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {

std::span<const TokenId> looked_up(std::span<const TokenId> tokens, size_t longest) {
  // solution: looked_up
  for (size_t length = std::min(longest, tokens.size()); length > 0; --length) {
    const auto last = tokens.last(length);
    for (size_t at = tokens.size() - length; at-- > 0;)
      if (std::ranges::equal(tokens.subspan(at, length), last)) return tokens.subspan(at + length);
  }
  // end of solution
  return {};
}

size_t PromptLookup::propose(const Continuation& text, std::span<TokenId> tokens, View<real, 2> distributions) {
  const std::span<const TokenId> found = looked_up(text.tokens(), longest_);
  const size_t count = std::min(found.size(), tokens.size());
  for (size_t i = 0; i < count; ++i) {
    tokens[i] = found[i];
    noalias(distributions[i]) = 0;
    distributions(i, static_cast<size_t>(found[i])) = 1;
  }
  return count;
}

DraftModel::DraftModel(const LlamaWeights& weights, size_t capacity, std::span<const TokenId> ends,
                       const SamplingOptions& sampling, size_t threads)
    : decoder_(weights, capacity, default_chunk, threads),
      ends_(ends.begin(), ends.end()),
      sampler_(sampling, weights.config.vocabulary_size),
      random_(~sampling.seed) {}  // other numbers than those that decide about its guesses

size_t DraftModel::propose(const Continuation& text, std::span<TokenId> tokens, View<real, 2> distributions) {
  const std::span<const TokenId> known = text.tokens();
  const size_t capacity = decoder_.cache().capacity();
  if (known.size() >= capacity) return 0;
  const size_t most = std::min(tokens.size(), capacity - known.size());
  // What was accepted of the last guesses stays in the cache; what was not is forgotten.
  const auto differ = std::mismatch(seen_.begin(), seen_.end(), known.begin(), known.end() - 1).first;
  decoder_.truncate(std::min(static_cast<size_t>(differ - seen_.begin()), decoder_.length()));
  seen_.assign(known.begin(), known.end());
  const std::unique_ptr<TokenConstraint> constraint = text.constraint() ? text.constraint()->clone() : nullptr;
  for (size_t i = 0; i < most; ++i) {
    const View<real, 1> logits(decoder_.feed(std::span(seen_).subspan(decoder_.length())),
                               {decoder_.vocabulary_size()});
    if (constraint) constraint->mask(logits);
    sampler_.distribution(logits, seen_, distributions[i]);
    tokens[i] = drawn_token(distributions[i], random_.uniform());
    if (std::ranges::find(ends_, tokens[i]) != ends_.end()) return i + 1;
    if (constraint) {
      constraint->take(tokens[i]);
      if (constraint->complete()) return i + 1;
    }
    seen_.push_back(tokens[i]);
  }
  if (most > 0) seen_.pop_back();  // was not fed
  return most;
}

}  // namespace cria
