#include "app/serve/answer_writer.hpp"

#include "app/serve/api_error.hpp"
#include "app/serve/pending_texts.hpp"

namespace cria::serve {
namespace {

int write_whole(PendingTexts& pending, const WantedTexts& wanted, const AnswerForm& form, http::Exchange& exchange) {
  std::vector<Choice> choices(wanted.echoes.size());
  for (size_t i = 0; i < choices.size(); ++i) choices[i].text = wanted.echoes[i];
  Usage usage{wanted.prompt_tokens, 0};
  while (!pending.done()) {
    const std::optional<TextPart> part = pending.next(exchange);
    if (!part) return client_left;
    if (!part->failure.empty()) throw ApiError(500, part->failure);
    Choice& choice = choices[part->text_index];
    choice.text += part->text;
    if (part->token) choice.tokens.push_back(*part->token);
    choice.ended = part->ended;
    usage.tokens += part->tokens;
  }
  exchange.respond({200, dumped(form.whole(choices, usage)) + "\n"});
  return 200;
}

int write_stream(PendingTexts& pending, const WantedTexts& wanted, AnswerForm& form, http::Exchange& exchange) {
  exchange.begin({200, "", "text/event-stream", {{"Cache-Control", "no-cache"}, {"X-Accel-Buffering", "no"}}});
  Usage usage{wanted.prompt_tokens, 0};
  for (size_t i = 0; i < wanted.echoes.size(); ++i) {
    if (form.is_chat()) exchange.send(stream_event(form.first_chunk(i)));
    if (!wanted.echoes[i].empty()) exchange.send(stream_event(form.chunk(i, wanted.echoes[i], {})));
    if (wanted.jobs.empty()) exchange.send(stream_event(form.last_chunk(i, false)));
  }
  while (!pending.done()) {
    const std::optional<TextPart> part = pending.next(exchange);
    if (!part) return client_left;
    if (!part->failure.empty()) {  // there is no other way left to say so; clients of OpenAI's raise it
      exchange.send(stream_event(error_form(ApiError(500, part->failure))));
      exchange.end();
      return 500;
    }
    std::string events;
    if (part->token || !part->text.empty()) {
      const std::span<const TokenLogprobs> tokens =
          part->token ? std::span(&*part->token, 1) : std::span<const TokenLogprobs>();
      events += stream_event(form.chunk(part->text_index, part->text, tokens));
    }
    if (part->last) events += stream_event(form.last_chunk(part->text_index, part->ended));
    usage.tokens += part->tokens;
    if (!exchange.send(events)) return client_left;
  }
  if (wanted.include_usage) exchange.send(stream_event(form.usage_chunk(usage)));
  exchange.send(end_of_stream);
  exchange.end();
  return 200;
}

}  // namespace

int write_answer(EngineThread& engine, WantedTexts wanted, AnswerForm form, http::Exchange& exchange) {
  PendingTexts pending(engine, wanted.jobs);
  return wanted.stream ? write_stream(pending, wanted, form, exchange) : write_whole(pending, wanted, form, exchange);
}

}  // namespace cria::serve
