// From a prompt to a text: the decoder, the sampler and the stop strings in one loop; of one text, or of many at once.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chapters/09-sampling/batch_decoder.hpp"
#include "chapters/09-sampling/continuation.hpp"
#include "chapters/09-sampling/decoder.hpp"

namespace cria {

/// Continues `prompt` and calls show(text) with each part of the text as soon as it is decided; the prompt's own text
/// is not shown. The text ends at any of the tokens `ends`. What the decoder has taken in already is the beginning of
/// the prompt, of which at least one token must be left.
GenerationResult generate_text(Decoder& decoder, const Tokenizer& tokenizer, const std::vector<TokenId>& prompt,
                               std::span<const TokenId> ends, const GenerationOptions& options,
                               const std::function<void(std::string_view)>& show);

/// One of many texts.
struct TextRequest {
  std::vector<TokenId> prompt;
  GenerationOptions options;
};

struct FinishedText {
  size_t request = 0;  // its index
  std::string text;    // without the prompt's
  GenerationResult result;
};

/// Continues all prompts side by side, as many at a time as the decoder has places: a text that ends makes room for the
/// next one. Calls finished(text) for each as it ends, in any order. A text is the one that generate_text gives for the
/// same request, whatever stands beside it. A prompt that several requests in a row have is read once. Ends early, with
/// the texts as they are then, when the first request's `stop` becomes true.
void generate_texts(BatchDecoder& decoder, const Tokenizer& tokenizer, std::span<const TextRequest> requests,
                    std::span<const TokenId> ends, const std::function<void(FinishedText)>& finished);

/// The same, in the order of the requests.
std::vector<FinishedText> generate_texts(BatchDecoder& decoder, const Tokenizer& tokenizer,
                                         std::span<const TextRequest> requests, std::span<const TokenId> ends);

/// How many positions a text of this request takes, of at most the `context`.
size_t positions_of(const TextRequest& request, size_t context);
/// The most that any of them takes.
size_t positions_of(std::span<const TextRequest> requests, size_t context);

}  // namespace cria
