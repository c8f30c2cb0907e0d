// Speculative decoding: a draft guesses several tokens, and the model checks them in one pass, which costs hardly more
// than one for a single token as long as reading the weights is what takes the time.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "chapters/09-sampling/generate.hpp"
#include "chapters/22-serving/draft.hpp"

namespace cria {

struct SpeculationFigures {
  size_t passes = 0;    // of the model, after the prompt
  size_t drafted = 0;   // tokens that were guessed and checked
  size_t accepted = 0;  // of these
  double acceptance() const { return drafted ? double(accepted) / double(drafted) : 0; }
};

/// As generate_text, with up to `most` tokens drafted for each pass. The text has the distribution that generate_text's
/// has, and where the choice is greedy it is the same text. The decoder must be made for feed_each of most + 1 tokens.
GenerationResult speculate_text(Decoder& decoder, Draft& draft, size_t most, const Tokenizer& tokenizer,
                                const std::vector<TokenId>& prompt, std::span<const TokenId> ends,
                                const GenerationOptions& options, const std::function<void(std::string_view)>& show,
                                SpeculationFigures& figures);

/// How many tokens a pass gives on average when each guess is accepted with the probability `acceptance` by itself
/// (Leviathan et al., equation 1): (1 - a^(n + 1)) / (1 - a).
double expected_tokens(double acceptance, size_t most);

}  // namespace cria
