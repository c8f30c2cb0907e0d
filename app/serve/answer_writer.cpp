#include "app/serve/answer_writer.hpp"

#include <utility>

#include "app/serve/api_error.hpp"
#include "app/serve/pending_texts.hpp"

namespace cria::serve {
namespace {

/// The whole answer, when it is there.
std::string whole_answer(PendingTexts& pending, WantedTexts& wanted, http::Exchange& exchange) {
  std::vector<Choice> choices(wanted.echoes.size());
  for (size_t i = 0; i < choices.size(); ++i) choices[i].text = std::exchange(wanted.echoes[i], {});
  Usage usage{wanted.prompt_tokens, 0};
  while (!pending.done()) {
    TextPart part = pending.next(exchange);
    if (!part.failure.empty()) throw ApiError(500, part.failure);
    Choice& choice = choices[part.text_index];
    choice.text += part.text;
    if (part.token) choice.tokens.push_back(std::move(*part.token));
    choice.ended = part.ended;
    usage.tokens += part.tokens;
  }
  return dumped(wanted.form.whole(choices, usage)) + "\n";
}

int write_stream(PendingTexts& pending, WantedTexts& wanted, http::Exchange& exchange) {
  AnswerForm& form = wanted.form;
  exchange.begin({200, "", "text/event-stream", {{"Cache-Control", "no-cache"}, {"X-Accel-Buffering", "no"}}});
  Usage usage{wanted.prompt_tokens, 0};
  for (size_t i = 0; i < wanted.echoes.size(); ++i) {
    if (form.is_chat()) exchange.send(stream_event(form.first_chunk(i)));
    if (!wanted.echoes[i].empty()) exchange.send(stream_event(form.chunk(i, std::exchange(wanted.echoes[i], {}), {})));
    if (pending.done()) exchange.send(stream_event(form.last_chunk(i, false)));
  }
  while (!pending.done()) {
    const TextPart part = pending.next(exchange);
    if (!part.failure.empty()) {  // there is no other way left to say so; clients of OpenAI's raise it
      exchange.send(stream_event(error_form(ApiError(500, part.failure))));
      exchange.end();
      return 500;
    }
    std::string events;
    if (part.token || !part.text.empty()) {
      const std::span<const TokenLogprobs> tokens =
          part.token ? std::span(&*part.token, 1) : std::span<const TokenLogprobs>();
      events += stream_event(form.chunk(part.text_index, part.text, tokens));
    }
    if (part.last) events += stream_event(form.last_chunk(part.text_index, part.ended));
    usage.tokens += part.tokens;
    if (!exchange.send(events)) throw http::ClientLeft();
  }
  if (wanted.include_usage) exchange.send(stream_event(form.usage_chunk(usage)));
  exchange.send(end_of_stream);
  exchange.end();
  return 200;
}

}  // namespace

int write_answer(EngineThread& engine, WantedTexts wanted, http::Exchange& exchange) {
  PendingTexts pending(engine, std::exchange(wanted.jobs, {}));
  if (wanted.stream) return write_stream(pending, wanted, exchange);
  exchange.respond({200, whole_answer(pending, wanted, exchange)});
  return 200;
}

}  // namespace cria::serve
