// A text as it grows: what is drawn next, what of it can be shown, and where it ends. The model is the caller's.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chapters/01-bpe/tokenizer.hpp"
#include "chapters/09-sampling/sampling.hpp"
#include "chapters/09-sampling/stop_strings.hpp"
#include "chapters/09-sampling/token_constraint.hpp"

namespace cria {

struct GenerationOptions {
  SamplingOptions sampling = {};
  size_t tokens = 256;  // at most
  std::vector<std::string> stops = {};
  const std::atomic<bool>* stop = nullptr;  // ends the text as soon as it is true, also while the prompt is read
  /// What the text has to be; each text begins with a copy. It is ended as soon as nothing can follow.
  std::shared_ptr<const TokenConstraint> constraint = nullptr;
};

struct GenerationResult {
  std::vector<TokenId> tokens;  // generated, without the end token
  bool ended = false;           // by the end token, a stop string or the constraint, not by the limit
};

class Continuation {
 public:
  /// Of `prompt`; ends at any of the tokens `ends`. Those and the tokenizer must outlive it. Throws UserError for
  /// options out of their range.
  Continuation(const std::vector<TokenId>& prompt, const Tokenizer& tokenizer, std::span<const TokenId> ends,
               const GenerationOptions& options, size_t vocabulary_size);

  /// Whether nothing more comes, because it has ended or is as long as it may be.
  bool done() const { return ended_ || generated() >= limit_; }
  /// The prompt's tokens and those drawn, without the end token.
  std::span<const TokenId> tokens() const { return tokens_; }

  /// Draws the next token, and returns what can be shown of the text now; valid until the next call.
  std::string_view draw(View<const real, 1> logits);  // (V)
  /// The probabilities with which `draw` would take each token.
  void distribution(View<const real, 1> logits /*(V)*/, View<real, 1> probabilities /*(V)*/);
  /// Goes on with a token that somebody else has drawn from this distribution; returns what draw does.
  std::string_view take(TokenId next);
  /// What the text has to be from here on; null where nothing is asked.
  const TokenConstraint* constraint() const { return constraint_.get(); }
  /// What was held back; to be called at the end.
  std::string_view finish() { return stops_.finish(); }

  GenerationResult result() const;

 private:
  size_t generated() const { return tokens_.size() - prompt_size_; }
  View<const real, 1> allowed(View<const real, 1> logits);

  const Tokenizer* tokenizer_;
  std::span<const TokenId> ends_;
  Sampler sampler_;
  std::unique_ptr<TokenConstraint> constraint_;
  std::vector<real> masked_;  // (V) with a constraint
  StopStrings stops_;
  std::vector<TokenId> tokens_;
  size_t prompt_size_, limit_;
  bool ended_ = false;
};

}  // namespace cria
