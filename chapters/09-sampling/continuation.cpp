#include "chapters/09-sampling/continuation.hpp"

#include <algorithm>

namespace cria {

Continuation::Continuation(const std::vector<TokenId>& prompt, const Tokenizer& tokenizer,
                           std::span<const TokenId> ends, const GenerationOptions& options, size_t vocabulary_size)
    : tokenizer_(&tokenizer),
      ends_(ends),
      sampler_(options.sampling, vocabulary_size),
      stops_(options.stops),
      tokens_(prompt),
      prompt_size_(prompt.size()),
      limit_(options.tokens) {}

std::string_view Continuation::draw(View<const real, 1> logits) {
  const TokenId next = sampler_.sample(logits, tokens_);
  ended_ = std::ranges::find(ends_, next) != ends_.end();
  if (ended_) return {};
  tokens_.push_back(next);
  // A model may have more rows than its tokenizer has tokens; those stand for no text.
  if (static_cast<size_t>(next) >= tokenizer_->vocabulary_size()) return {};
  const std::string_view shown = stops_.push(tokenizer_->piece(next));
  ended_ = stops_.stopped();
  return shown;
}

GenerationResult Continuation::result() const {
  return {{tokens_.begin() + static_cast<std::ptrdiff_t>(prompt_size_), tokens_.end()}, ended_};
}

}  // namespace cria
