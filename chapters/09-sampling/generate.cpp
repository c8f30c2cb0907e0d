#include "chapters/09-sampling/generate.hpp"

#include <algorithm>
#include <optional>

namespace cria {
namespace {

/// A text in a place of the batch.
struct Running {
  size_t request;
  Continuation continuation;
  std::string text;
};

}  // namespace

GenerationResult generate_text(Decoder& decoder, const Tokenizer& tokenizer, const std::vector<TokenId>& prompt,
                               std::span<const TokenId> ends, const GenerationOptions& options,
                               const std::function<void(std::string_view)>& show) {
  const size_t vocabulary = decoder.vocabulary_size();
  Continuation text(prompt, tokenizer, ends, options, vocabulary);
  const auto fresh = [&] { return text.tokens().subspan(decoder.length()); };  // not yet seen by the decoder
  const auto stopped = [&] { return options.stop && *options.stop; };
  // Whoever may stop is not kept waiting for a whole prompt. Otherwise the decoder cuts it into equal chunks itself.
  while (options.stop && fresh().size() > decoder.chunk() && !stopped()) decoder.feed(fresh().first(decoder.chunk()));
  while (!text.done() && !stopped()) show(text.draw({decoder.feed(fresh()), {vocabulary}}));
  show(text.finish());
  return text.result();
}

void generate_texts(BatchDecoder& decoder, const Tokenizer& tokenizer, std::span<const TextRequest> requests,
                    std::span<const TokenId> ends, const std::function<void(FinishedText)>& finished) {
  std::vector<Running> running;  // each in the place of its index
  std::vector<TokenId> newest;
  const std::atomic<bool>* stop = requests.empty() ? nullptr : requests[0].options.stop;
  const auto stopped = [&] { return stop && *stop; };
  const auto finish = [&](Running& r) {
    r.text += r.continuation.finish();
    finished({r.request, std::move(r.text), r.continuation.result()});
  };
  size_t next = 0;
  const std::vector<TokenId>* prompt = nullptr;  // that was read last
  View<const real, 1> first_logits;
  // The next text that goes on after its first token; others are finished.
  const auto start = [&]() -> std::optional<Running> {
    while (next < requests.size() && !stopped()) {
      const TextRequest& request = requests[next];
      Running started{next++, {request.prompt, tokenizer, ends, request.options, decoder.vocabulary_size()}, {}};
      if (!started.continuation.done()) {
        if (!prompt || *prompt != request.prompt) first_logits = decoder.read(request.prompt), prompt = &request.prompt;
        started.text = started.continuation.draw(first_logits);
      }
      if (!started.continuation.done()) return started;
      finish(started);
    }
    return std::nullopt;
  };

  while (running.size() < decoder.places()) {
    std::optional<Running> started = start();
    if (!started) break;
    decoder.begin(running.size());
    running.push_back(std::move(*started));
  }
  while (!running.empty() && !stopped()) {
    newest.clear();
    for (const Running& r : running) newest.push_back(r.continuation.tokens().back());
    decoder.step(newest, [&](size_t place, View<const real, 1> logits) {
      running[place].text += running[place].continuation.draw(logits);
    });
    for (size_t place = running.size(); place-- > 0;) {
      if (!running[place].continuation.done()) continue;
      finish(running[place]);
      if (std::optional<Running> started = start()) {
        decoder.begin(place);
        running[place] = std::move(*started);
        continue;
      }
      if (place + 1 < running.size()) {  // the last one closes the gap
        decoder.move(running.size() - 1, place);
        running[place] = std::move(running.back());
      }
      running.pop_back();
    }
  }
  for (Running& r : running) finish(r);
}

std::vector<FinishedText> generate_texts(BatchDecoder& decoder, const Tokenizer& tokenizer,
                                         std::span<const TextRequest> requests, std::span<const TokenId> ends) {
  std::vector<FinishedText> texts(requests.size());
  generate_texts(decoder, tokenizer, requests, ends, [&](FinishedText text) { texts[text.request] = std::move(text); });
  return texts;
}

size_t positions_of(const TextRequest& request, size_t context) {
  return std::min(request.prompt.size() + std::min(request.options.tokens, context), context);
}

size_t positions_of(std::span<const TextRequest> requests, size_t context) {
  size_t most = 1;
  for (const TextRequest& request : requests) most = std::max(most, positions_of(request, context));
  return most;
}

}  // namespace cria
