#include "app/serve/answer_form.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <random>

namespace cria::serve {
namespace {

std::string new_id(AnswerForm::Kind kind) {
  std::random_device device;
  return fmt::format("{}-{:08x}{:08x}{:08x}", kind == AnswerForm::Kind::chat ? "chatcmpl" : "cmpl", device(), device(),
                     device());
}

Json finish_reason(bool ended) { return ended ? "stop" : "length"; }

Json usage_form(const Usage& usage) {
  return {{"prompt_tokens", usage.prompt_tokens},
          {"completion_tokens", usage.tokens},
          {"total_tokens", usage.prompt_tokens + usage.tokens}};
}

size_t characters(std::string_view bytes) {
  return static_cast<size_t>(std::ranges::count_if(bytes, [](char c) { return (c & 0xC0) != 0x80; }));
}

/// A model may have more rows than its tokenizer has tokens; those stand for no text.
std::string_view piece(const Tokenizer& tokenizer, TokenId id) {
  return static_cast<size_t>(id) < tokenizer.vocabulary_size() ? tokenizer.piece(id) : std::string_view();
}

Json chat_token(const Tokenizer& tokenizer, TokenId id, double logprob) {
  const std::string_view text = piece(tokenizer, id);
  Json bytes = Json::array();
  for (const char c : text) bytes.push_back(static_cast<unsigned char>(c));
  return {{"token", std::string(text)}, {"logprob", logprob}, {"bytes", bytes}};
}

}  // namespace

AnswerForm::AnswerForm(Kind kind, std::string model, const Tokenizer& tokenizer, bool logprobs, bool counts)
    : kind_(kind),
      id_(new_id(kind)),
      model_(std::move(model)),
      created_(std::time(nullptr)),
      tokenizer_(tokenizer),
      logprobs_(logprobs),
      counts_(counts) {}

Json AnswerForm::head(bool chunk) const {
  const char* object = is_chat() ? (chunk ? "chat.completion.chunk" : "chat.completion") : "text_completion";
  return {{"id", id_}, {"object", object}, {"created", created_}, {"model", model_}};
}

Json AnswerForm::logprobs_of(std::span<const TokenLogprobs> tokens, size_t& offset) const {
  if (!logprobs_) return nullptr;
  if (is_chat()) {
    Json content = Json::array();
    for (const TokenLogprobs& token : tokens) {
      Json entry = chat_token(tokenizer_, token.token, token.logprob);
      entry["top_logprobs"] = Json::array();
      for (const auto& likely : token.likeliest)
        entry["top_logprobs"].push_back(chat_token(tokenizer_, likely.first, likely.second));
      content.push_back(std::move(entry));
    }
    return {{"content", std::move(content)}, {"refusal", nullptr}};
  }
  Json form = {{"tokens", Json::array()},
               {"token_logprobs", Json::array()},
               {"top_logprobs", Json::array()},
               {"text_offset", Json::array()}};
  for (const TokenLogprobs& token : tokens) {
    const std::string text(piece(tokenizer_, token.token));
    form["tokens"].push_back(text);
    form["token_logprobs"].push_back(token.logprob);
    Json likeliest = Json::object();
    for (const auto& likely : token.likeliest) likeliest[std::string(piece(tokenizer_, likely.first))] = likely.second;
    likeliest[text] = token.logprob;  // the one that was drawn is among them, as in OpenAI's answers
    form["top_logprobs"].push_back(std::move(likeliest));
    form["text_offset"].push_back(offset);
    offset += characters(text);
  }
  return form;
}

Json AnswerForm::whole(std::span<const Choice> choices, const Usage& usage) const {
  Json answer = head(false);
  answer["choices"] = Json::array();
  for (const Choice& choice : choices) {
    Json form = {{"index", answer["choices"].size()}};
    if (is_chat())
      form["message"] = {{"role", "assistant"}, {"content", choice.text}, {"refusal", nullptr}};
    else
      form["text"] = choice.text;
    size_t offset = 0;
    form["logprobs"] = logprobs_of(choice.tokens, offset);
    form["finish_reason"] = finish_reason(choice.ended);
    answer["choices"].push_back(std::move(form));
  }
  answer["usage"] = usage_form(usage);
  return answer;
}

Json AnswerForm::chunk_of(Json choice) const {
  Json form = head(true);
  form["choices"] = Json::array({std::move(choice)});
  if (counts_) form["usage"] = nullptr;
  return form;
}

Json AnswerForm::first_chunk(size_t index) const {
  return chunk_of({{"index", index},
                   {"delta", {{"role", "assistant"}, {"content", ""}, {"refusal", nullptr}}},
                   {"logprobs", nullptr},
                   {"finish_reason", nullptr}});
}

Json AnswerForm::chunk(size_t index, std::string_view text, std::span<const TokenLogprobs> tokens) {
  if (offsets_.size() <= index) offsets_.resize(index + 1);
  Json choice = {{"index", index}};
  if (is_chat())
    choice["delta"] = {{"content", text}};
  else
    choice["text"] = text;
  choice["logprobs"] = tokens.empty() ? Json() : logprobs_of(tokens, offsets_[index]);
  choice["finish_reason"] = nullptr;
  return chunk_of(std::move(choice));
}

Json AnswerForm::last_chunk(size_t index, bool ended) const {
  Json choice = {{"index", index}};
  if (is_chat())
    choice["delta"] = Json::object();
  else
    choice["text"] = "";
  choice["logprobs"] = nullptr;
  choice["finish_reason"] = finish_reason(ended);
  return chunk_of(std::move(choice));
}

Json AnswerForm::usage_chunk(const Usage& usage) const {
  Json form = head(true);
  form["choices"] = Json::array();
  form["usage"] = usage_form(usage);
  return form;
}

std::string stream_event(const Json& value) { return "data: " + dumped(value) + "\n\n"; }

}  // namespace cria::serve
