// Draft: who guesses the next tokens of a text, cheaply.
#pragma once

#include <span>
#include <vector>

#include "chapters/09-sampling/continuation.hpp"
#include "chapters/09-sampling/decoder.hpp"

namespace cria {

class Draft {
 public:
  virtual ~Draft() = default;

  /// Guesses how the text goes on: writes at most as many tokens as there is room for, and for each the distribution
  /// that it was drawn from, given those before it. Returns how many; none is allowed.
  virtual size_t propose(const Continuation& text, std::span<TokenId> tokens,  // (N)
                         View<real, 2> distributions) = 0;                     // (N, V)
};

/// The text itself as a draft: where its last few tokens stood before, what followed there (Saxena 2023, "Prompt lookup
/// decoding"). Each guess is certain, so it is right as often as the model gives it probability.
class PromptLookup : public Draft {
 public:
  /// Looks for the last `longest` tokens, then for fewer, down to one.
  explicit PromptLookup(size_t longest = 3) : longest_(longest) {}
  size_t propose(const Continuation& text, std::span<TokenId> tokens, View<real, 2> distributions) override;

 private:
  size_t longest_;
};

/// What followed the latest earlier place at which the last `length` tokens stand, for the largest length up to
/// `longest`; nothing where the last token is new.
std::span<const TokenId> looked_up(std::span<const TokenId> tokens, size_t longest);

/// A smaller model with the same tokens.
class DraftModel : public Draft {
 public:
  /// Draws as `sampling` says, and stops behind any of `ends`. The weights must outlive it; `capacity` positions are
  /// remembered, and what is longer is not guessed.
  DraftModel(const LlamaWeights& weights, size_t capacity, std::span<const TokenId> ends,
             const SamplingOptions& sampling, size_t threads = 1);
  size_t propose(const Continuation& text, std::span<TokenId> tokens, View<real, 2> distributions) override;

 private:
  Decoder decoder_;
  std::vector<TokenId> ends_;
  Sampler sampler_;
  Random random_;
  std::vector<TokenId> seen_;  // what the decoder was fed with
};

}  // namespace cria
