#include "app/serve/service.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <new>

#include "app/serve/api_error.hpp"
#include "app/serve/chat_request.hpp"
#include "app/serve/completion_request.hpp"
#include "app/serve/tokenization.hpp"
#include "lib/base/check.hpp"
#include "lib/formats/json.hpp"

namespace cria::serve {
namespace {

constexpr int client_left = 499;  // nginx's number for it

int respond(http::Exchange& exchange, const Json& value) {
  exchange.respond({200, dumped(value) + "\n"});
  return 200;
}

Json model_form(const ServedModel& model) {
  return {{"id", model.name},
          {"object", "model"},
          {"created", model.created},
          {"owned_by", "cria"},
          {"max_model_len", model.context}};
}

}  // namespace

std::span<const Service::Route> Service::routes() {
  static constexpr Route all[] = {
      {"POST", "/v1/chat/completions", &Service::chat, false}, {"POST", "/v1/completions", &Service::complete, false},
      {"GET", "/v1/models", &Service::list_models, false},     {"POST", "/tokenize", &Service::tokenize, false},
      {"POST", "/detokenize", &Service::detokenize, false},    {"GET", "/health", &Service::health, true},
      {"GET", "/metrics", &Service::show_metrics, false},      {"GET", "/look/model", &Service::look, false},
      {"POST", "/look/tokens", &Service::look, false},         {"POST", "/look/inside", &Service::look, false},
      {"POST", "/look/head", &Service::look, false},           {"POST", "/look/next", &Service::look, false},
      {"POST", "/look/chat", &Service::look, false},           {"GET", "/look/steps", &Service::look, false},
  };
  return all;
}

void Service::answer(http::Request& request, http::Exchange& exchange) {
  const Stopwatch watch;
  const char* path = "other";
  int status = 500;
  try {
    status = answer_route(request, exchange, path);
  } catch (const ApiError& error) {
    status = error.status;
    if (!exchange.answered()) exchange.respond(error_response(error));
  } catch (const http::ClientLeft&) {
    status = client_left;
  } catch (const std::bad_alloc&) {
    status = 500;
    if (!exchange.answered()) exchange.respond(error_response(ApiError(500, "there is not enough memory for this")));
  }
  metrics_.count_request(path, status);
  if (options_.log)
    fmt::print(stderr, "{} {} {} {:.3f} s\n", one_line(request.method), one_line(request.path), status,
               watch.seconds());
}

int Service::answer_route(http::Request& request, http::Exchange& exchange, const char*& path) {
  options_.access.check_page(request);
  const std::string& origin = options_.access.origin;
  if (!origin.empty()) {
    exchange.add_header("Access-Control-Allow-Origin", origin);
    if (origin != "*") exchange.add_header("Vary", "Origin");
    if (request.method == "OPTIONS" && request.header("access-control-request-method"))
      return allow_origin(request, exchange);
  }
  if (look_ && (request.method == "GET" || request.method == "HEAD"))
    if (auto file = look_->file(request.path)) {  // of which nothing is secret
      path = "/";
      exchange.respond(std::move(*file));
      return 200;
    }
  // /v1/models/NAME is the one path with a variable part.
  const std::string prefix = "/v1/models/";
  const bool names_model = request.path.starts_with(prefix);
  const std::string wanted = names_model ? "/v1/models" : request.path;
  const auto route = std::ranges::find_if(routes(), [&](const Route& one) { return wanted == one.path; });
  if (route == routes().end() || !route->open) options_.access.check_key(request);
  if (route == routes().end() || (route->answer == &Service::look && !look_))
    throw ApiError(404, fmt::format("there is nothing at {}", in_quotes(request.path)), "", "not_found");
  path = route->path;
  if (request.method != route->method && !(request.method == "HEAD" && route->method == std::string_view("GET"))) {
    exchange.add_header("Allow", route->method);
    throw ApiError(405, fmt::format("{} takes {} only", route->path, route->method));
  }
  if (names_model) model_.check_name(request.path.substr(prefix.size()));
  return names_model ? respond(exchange, model_form(model_)) : (this->*route->answer)(request, exchange);
}

bool Service::wants_body(const http::Request& request) const {
  try {
    options_.access.check_page(request);
    options_.access.check_key(request);
  } catch (const ApiError&) {
    return false;
  }
  return true;
}

/// Tells a browser that a page may ask.
int Service::allow_origin(const http::Request& request, http::Exchange& exchange) const {
  const std::string* headers = request.header("access-control-request-headers");
  exchange.respond({204,
                    "",
                    "",
                    {{"Access-Control-Allow-Methods", "GET, POST"},
                     {"Access-Control-Allow-Headers", headers ? *headers : "authorization, content-type"},
                     {"Access-Control-Max-Age", "600"}}});
  return 204;
}

http::Response Service::refuse(int status, const std::string& reason) const {
  metrics_.count_request("other", status);
  return error_response(ApiError(status, reason));
}

WantedTexts Service::read_chat(const Body& body) const {
  const ChatRequest chat = read_chat_request(body.value, model_.sampling, body.text);
  const TextSettings& settings = chat.settings;
  model_.check_name(settings.model);
  TextJob job;
  job.prompt = model_.encode(chat.messages);
  job.options.sampling = settings.sampling;
  job.options.tokens = model_.room(job.prompt.size(), settings.tokens);
  job.options.stops = settings.stops;
  job.options.constraint = model_.constraint(settings.format);
  job.logprobs = settings.logprobs;
  job.drops_blank = model_.tokenizer->model().sentencepiece.has_value();
  WantedTexts wanted = wanted_texts(AnswerForm::Kind::chat, settings);
  wanted.prompt_tokens = job.prompt.size();
  wanted.echoes.resize(settings.count);
  for (; job.text_index < settings.count; ++job.text_index, ++job.options.sampling.seed) wanted.jobs.push_back(job);
  return wanted;
}

WantedTexts Service::read_completion(const Body& body) const {
  const CompletionRequest completion =
      read_completion_request(body.value, model_.sampling, model_.vocabulary, body.text);
  const TextSettings& settings = completion.settings;
  model_.check_name(settings.model);
  WantedTexts wanted = wanted_texts(AnswerForm::Kind::completion, settings);
  TextJob job;
  job.options.constraint = model_.constraint(settings.format);
  job.logprobs = settings.logprobs;
  job.options.sampling = settings.sampling;
  job.options.stops = settings.stops;
  for (const Prompt& prompt : completion.prompts) {
    job.prompt = model_.encode(prompt);
    job.options.tokens = model_.room(job.prompt.size(), settings.tokens);
    wanted.prompt_tokens += job.prompt.size();
    const std::string* text = std::get_if<std::string>(&prompt);
    const std::string echo = completion.echo ? (text ? *text : model_.tokenizer->decode(job.prompt)) : "";
    for (size_t i = 0; i < settings.count; ++i, ++job.text_index, ++job.options.sampling.seed) {
      wanted.echoes.push_back(echo);
      if (job.options.tokens > 0) wanted.jobs.push_back(job);
    }
  }
  return wanted;
}

/// None yet.
WantedTexts Service::wanted_texts(AnswerForm::Kind kind, const TextSettings& settings) const {
  return {{kind, model_.name, *model_.tokenizer, settings.logprobs.has_value(), settings.include_usage},
          {},
          {},
          0,
          settings.stream,
          settings.include_usage};
}

int Service::chat(http::Request& request, http::Exchange& exchange) {
  const auto read = [&](const Body& body) { return read_chat(body); };
  return write_answer(engine_, read_body(request, exchange, turns_, read), exchange);
}

int Service::complete(http::Request& request, http::Exchange& exchange) {
  const auto read = [&](const Body& body) { return read_completion(body); };
  return write_answer(engine_, read_body(request, exchange, turns_, read), exchange);
}

int Service::list_models(http::Request&, http::Exchange& exchange) {
  return respond(exchange, {{"object", "list"}, {"data", Json::array({model_form(model_)})}});
}

int Service::tokenize(http::Request& request, http::Exchange& exchange) {
  const auto read = [&](const Body& body) { return tokenized(body, model_); };
  exchange.respond({200, read_body(request, exchange, turns_, read)});
  return 200;
}

int Service::detokenize(http::Request& request, http::Exchange& exchange) {
  const auto read = [&](const Body& body) { return detokenized(body, model_); };
  exchange.respond({200, read_body(request, exchange, turns_, read)});
  return 200;
}

int Service::look(http::Request& request, http::Exchange& exchange) { return look_->answer(request, exchange, turns_); }

int Service::health(http::Request&, http::Exchange& exchange) {
  if (stopping_) throw ApiError(503, "the server is about to stop", "", "stopping");
  return respond(exchange, {{"status", "ok"}});
}

int Service::show_metrics(http::Request&, http::Exchange& exchange) {
  exchange.respond({200, metrics_.text(engine_.figures()), "text/plain; version=0.0.4"});
  return 200;
}

}  // namespace cria::serve
