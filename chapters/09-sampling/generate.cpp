#include "chapters/09-sampling/generate.hpp"

#include <algorithm>

#include "chapters/09-sampling/stop_strings.hpp"

namespace cria {

GenerationResult generate_text(Decoder& decoder, const Tokenizer& tokenizer, const std::vector<TokenId>& prompt,
                               std::span<const TokenId> ends, const GenerationOptions& options,
                               const std::function<void(std::string_view)>& show) {
  const size_t vocabulary = decoder.vocabulary_size();
  Sampler sampler(options.sampling, vocabulary);
  StopStrings stops(options.stops);
  std::vector<TokenId> tokens = prompt;
  GenerationResult result;
  std::span<const TokenId> fresh = std::span(tokens).subspan(decoder.length());  // not yet seen by the decoder
  const auto stopped = [&] { return options.stop && *options.stop; };
  // Whoever may stop is not kept waiting for a whole prompt. Otherwise the decoder cuts it into equal chunks itself.
  for (; options.stop && fresh.size() > decoder.chunk() && !stopped(); fresh = fresh.subspan(decoder.chunk()))
    decoder.feed(fresh.first(decoder.chunk()));
  TokenId next;
  while (result.tokens.size() < options.tokens && !stopped()) {
    const std::span<real> logits = decoder.feed(fresh);
    next = sampler.sample(View<const real, 1>(logits, {vocabulary}), tokens);
    result.ended = std::ranges::find(ends, next) != ends.end();
    if (result.ended) break;
    result.tokens.push_back(next);
    tokens.push_back(next);
    fresh = {&next, 1};
    // A model may have more rows than its tokenizer has tokens; those stand for no text.
    if (static_cast<size_t>(next) < tokenizer.vocabulary_size()) show(stops.push(tokenizer.piece(next)));
    result.ended = stops.stopped();
    if (result.ended) break;
  }
  show(stops.finish());
  return result;
}

}  // namespace cria
