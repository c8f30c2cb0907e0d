// Service: what is answered to which request.
#pragma once

#include <atomic>
#include <span>
#include <string>
#include <string_view>

#include "app/serve/answer_writer.hpp"
#include "app/serve/served_model.hpp"

namespace cria::serve {

struct ServiceOptions {
  std::string api_key;  // empty: everybody is answered
  std::string origin;   // of the web pages that may ask: one, or * for all; empty: none
  bool log = false;     // a line on standard error for each request
};

class Service {
 public:
  /// All must outlive it.
  Service(const ServedModel& model, EngineThread& engine, Metrics& metrics, ServiceOptions options)
      : model_(model), engine_(engine), metrics_(metrics), options_(std::move(options)) {}

  /// Called by many threads at once.
  void answer(const http::Request& request, http::Exchange& exchange);
  /// To what is no proper request.
  http::Response refuse(int status, const std::string& reason) const;

  /// From now on /health says that this server is about to stop.
  void stop() { stopping_ = true; }

 private:
  using Answer = int (Service::*)(const http::Request&, http::Exchange&);
  struct Route {
    const char *method, *path;
    Answer answer;
    bool open;  // without the API key
  };
  static std::span<const Route> routes();
  int answer_route(const http::Request& request, http::Exchange& exchange, const char*& path);
  void check_key(const http::Request& request) const;
  int allow_origin(const http::Request& request, http::Exchange& exchange) const;

  int chat(const http::Request& request, http::Exchange& exchange);
  int complete(const http::Request& request, http::Exchange& exchange);
  int list_models(const http::Request& request, http::Exchange& exchange);
  int tokenize(const http::Request& request, http::Exchange& exchange);
  int detokenize(const http::Request& request, http::Exchange& exchange);
  int health(const http::Request& request, http::Exchange& exchange);
  int show_metrics(const http::Request& request, http::Exchange& exchange);

  const ServedModel& model_;
  EngineThread& engine_;
  Metrics& metrics_;
  ServiceOptions options_;
  std::atomic<bool> stopping_ = false;
};

/// Takes the same time wherever the first difference is.
bool equal_in_constant_time(std::string_view guess, std::string_view secret);

}  // namespace cria::serve
