// From a prompt to a text: the decoder, the sampler and the stop strings in one loop.
#pragma once

#include <atomic>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chapters/01-bpe/tokenizer.hpp"
#include "chapters/09-sampling/decoder.hpp"
#include "chapters/09-sampling/sampling.hpp"

namespace cria {

struct GenerationOptions {
  SamplingOptions sampling;
  size_t tokens = 256;  // at most
  std::vector<std::string> stops;
  const std::atomic<bool>* stop = nullptr;  // ends the text as soon as it is true, also while the prompt is read
};

struct GenerationResult {
  std::vector<TokenId> tokens;  // generated, without the end token
  bool ended = false;           // by the end token or a stop string, not by the limit
};

/// Continues `prompt` and calls show(text) with each part of the text as soon as it is decided; the prompt's own text is
/// not shown. The text ends at any of the tokens `ends`. What the decoder has taken in already is the beginning of the
/// prompt, of which at least one token must be left.
GenerationResult generate_text(Decoder& decoder, const Tokenizer& tokenizer, const std::vector<TokenId>& prompt,
                               std::span<const TokenId> ends, const GenerationOptions& options,
                               const std::function<void(std::string_view)>& show);

}  // namespace cria
