// LookService: what the page to look inside the model asks for (docs/look.md), beside the API's own answers.
//
// A pass for the page runs on the thread of its request, alone and by the model's weights only, so the engine neither
// waits for it nor changes a bit by it; one at a time, as its numbers take hundreds of megabytes.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/look/passage.hpp"
#include "app/serve/body.hpp"
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
  std::string lessons;         // the address that chapters are linked below; empty: the book is given out
  std::filesystem::path book;  // where `cria book` wrote it; empty: there is none, and no link
};

constexpr size_t longest_looked = 8 << 10;  // bytes of a text that is typed; its answer is many times as long

class LookService {
 public:
  /// All must outlive it.
  LookService(const ServedModel& served, ModelView model, EngineThread& engine, PageOptions options);
  ~LookService();

  /// To GET /look/model and /look/steps, POST /look/tokens, /look/inside, /look/head, /look/next and /look/chat.
  /// Returns the status for the records. Throws ApiError: 400, and 429 where another pass runs already; and
  /// http::ClientLeft, in the middle of a pass as well.
  int answer(http::Request& request, http::Exchange& exchange, Turns& turns);

  /// The page's files and the book's, which need no key; nothing at other paths.
  std::optional<http::Response> file(const std::string& path) const;

 private:
  class Pass;
  struct Shown;  // of both tokenizers
  struct Head;   // that is to be off
  const Shown& shown();
  void add_second(nlohmann::json& tokenizers, const std::string& text);
  std::vector<TokenId> encode(const std::string& text) const;
  std::vector<TokenId> passage_of(const std::string& text) const;
  nlohmann::json model() const;
  nlohmann::json tokens(const Body& body);
  nlohmann::json inside(const std::string& text, const look::Ask& ask);
  nlohmann::json head_off(const Head& off, const look::Ask& ask) const;

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
