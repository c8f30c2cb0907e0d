// LookService: what the page to look inside the model asks for (docs/look.md), beside the API's own answers.
//
// A pass for the page runs on the thread of its request, alone and by the model's weights only, so the engine neither
// waits for it nor changes a bit by it; one at a time, as its numbers take hundreds of megabytes.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/serve/engine_thread.hpp"
#include "app/serve/served_model.hpp"
#include "app/serve/turns.hpp"
#include "chapters/12-open-weights/packed_model.hpp"
#include "lib/http/server.hpp"

namespace cria::serve {

/// What it shows beside the model.
struct PageOptions {
  std::optional<Tokenizer> second;  // shown beside the model's
  std::string second_name;
  std::string lessons;  // the address that chapters are linked below; empty: they are not
};

constexpr size_t longest_looked = 8 << 10;  // bytes of a text that is typed; its answer is many times as long

class LookService {
 public:
  /// All must outlive it.
  LookService(const ServedModel& served, ModelView model, EngineThread& engine, PageOptions options);
  ~LookService();

  /// To GET /look/model and /look/steps, POST /look/tokens, /look/inside, /look/head, /look/next and /look/chat.
  /// Returns the status for the records. Throws ApiError: 400, and 429 where another pass runs already.
  int answer(const http::Request& request, http::Exchange& exchange, Turns& turns);

 private:
  class Pass;
  struct Shown;  // of both tokenizers
  const Shown& shown();
  void add_second(nlohmann::json& tokenizers, const std::string& text);
  std::vector<TokenId> encode(const std::string& text) const;
  std::vector<TokenId> passage_of(const std::string& text) const;
  nlohmann::json model() const;
  nlohmann::json tokens(const nlohmann::json& body);
  nlohmann::json inside(const std::string& text);
  nlohmann::json head_off(const std::string& text, size_t layer, size_t head) const;

  const ServedModel& served_;
  ModelView model_;
  EngineThread& engine_;
  PageOptions options_;
  std::mutex mutex_;
  std::unique_ptr<const Shown> shown_;  // from the first time that it is asked for
  bool runs_ = false;                   // a pass
  std::condition_variable passed_;
};

}  // namespace cria::serve
