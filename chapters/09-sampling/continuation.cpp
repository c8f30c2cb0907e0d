#include "chapters/09-sampling/continuation.hpp"

#include <algorithm>

#include "lib/base/check.hpp"

namespace cria {

Continuation::Continuation(const std::vector<TokenId>& prompt, const Tokenizer& tokenizer,
                           std::span<const TokenId> ends, const GenerationOptions& options, size_t vocabulary_size)
    : tokenizer_(&tokenizer),
      ends_(ends),
      sampler_(options.sampling, vocabulary_size),
      constraint_(options.constraint ? options.constraint->clone() : nullptr),
      masked_(constraint_ ? vocabulary_size : 0),
      stops_(options.stops),
      tokens_(prompt),
      prompt_size_(prompt.size()),
      limit_(options.tokens) {}

std::string_view Continuation::draw(View<const real, 1> logits) {
  return take(sampler_.sample(allowed(logits), tokens_));
}

void Continuation::distribution(View<const real, 1> logits, View<real, 1> probabilities) {
  sampler_.distribution(allowed(logits), tokens_, probabilities);
}

View<const real, 1> Continuation::allowed(View<const real, 1> logits) {
  if (!constraint_) return logits;
  require_shape("Continuation: logits", logits, {masked_.size()});
  std::ranges::copy(logits.span(), masked_.begin());
  const View<real, 1> masked(masked_, {masked_.size()});
  constraint_->mask(masked);
  return masked;
}

std::string_view Continuation::take(TokenId next) {
  ended_ = std::ranges::find(ends_, next) != ends_.end();
  if (ended_) return {};
  tokens_.push_back(next);
  if (constraint_) constraint_->take(next);
  // A model may have more rows than its tokenizer has tokens; those stand for no text.
  if (static_cast<size_t>(next) >= tokenizer_->vocabulary_size()) return {};
  const std::string_view shown = stops_.push(tokenizer_->piece(next));
  ended_ = stops_.stopped() || (constraint_ && constraint_->complete());
  return shown;
}

GenerationResult Continuation::result() const {
  return {{tokens_.begin() + static_cast<std::ptrdiff_t>(prompt_size_), tokens_.end()}, ended_};
}

}  // namespace cria
