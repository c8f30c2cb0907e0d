// Service: what is answered to which request.
#pragma once

#include <atomic>
#include <span>
#include <string>

#include "app/serve/access.hpp"
#include "app/serve/answer_writer.hpp"
#include "app/serve/body.hpp"
#include "app/serve/look_service.hpp"
#include "app/serve/served_model.hpp"
#include "app/serve/text_settings.hpp"
#include "app/serve/turns.hpp"

namespace cria::serve {

struct ServiceOptions {
  Access access;
  bool log = false;  // a line on standard error for each request
};

class Service {
 public:
  /// All must outlive it. Without `look` there is no page.
  Service(const ServedModel& model, EngineThread& engine, Metrics& metrics, ServiceOptions options,
          LookService* look = nullptr)
      : model_(model), engine_(engine), metrics_(metrics), options_(std::move(options)), look_(look) {}

  /// Called by many threads at once.
  void answer(http::Request& request, http::Exchange& exchange);
  /// From its headers: who is refused anyway need not send the rest.
  bool wants_body(const http::Request& request) const;
  /// To what is no proper request.
  http::Response refuse(int status, const std::string& reason) const;

  /// From now on /health says that this server is about to stop.
  void stop() { stopping_ = true; }

 private:
  using Answer = int (Service::*)(http::Request&, http::Exchange&);
  struct Route {
    const char *method, *path;
    Answer answer;
    bool open;  // without the API key
  };
  static std::span<const Route> routes();
  int answer_route(http::Request& request, http::Exchange& exchange, const char*& path);
  int allow_origin(const http::Request& request, http::Exchange& exchange) const;

  WantedTexts read_chat(const Body& body) const;
  WantedTexts read_completion(const Body& body) const;
  WantedTexts wanted_texts(AnswerForm::Kind kind, const TextSettings& settings) const;

  int chat(http::Request& request, http::Exchange& exchange);
  int complete(http::Request& request, http::Exchange& exchange);
  int list_models(http::Request& request, http::Exchange& exchange);
  int tokenize(http::Request& request, http::Exchange& exchange);
  int detokenize(http::Request& request, http::Exchange& exchange);
  int look(http::Request& request, http::Exchange& exchange);
  int health(http::Request& request, http::Exchange& exchange);
  int show_metrics(http::Request& request, http::Exchange& exchange);

  const ServedModel& model_;
  EngineThread& engine_;
  Metrics& metrics_;
  ServiceOptions options_;
  LookService* look_;
  Turns turns_{most_turns};
  std::atomic<bool> stopping_ = false;
};

}  // namespace cria::serve
