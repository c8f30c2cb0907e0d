// EngineThread: the one thread that runs the model, and the door in front of it for the many that talk to clients.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "app/serve/mailbox.hpp"
#include "app/serve/metrics.hpp"
#include "chapters/22-serving/engine.hpp"

namespace cria::serve {

/// One text that is wanted.
struct TextJob {
  std::vector<TokenId> prompt;
  GenerationOptions options;       // of at least one token
  std::optional<size_t> logprobs;  // of each token, and so many others
  bool drops_blank = false;        // the blank that SentencePiece puts in front of an answer is none of it
  size_t text_index = 0;
  std::shared_ptr<Mailbox> mailbox;
};

class EngineThread {
 public:
  /// At most `waiting` texts can be submitted at a time.
  EngineThread(std::unique_ptr<Engine> engine, std::vector<TokenId> ends, size_t waiting, Metrics& metrics);
  ~EngineThread();

  /// All of them, or none. Returns when they are accepted; what they become lands in their mailboxes. Throws ApiError:
  /// 429 where too many wait, 503 after stop, 400 for what can never run.
  std::vector<std::uint64_t> submit(std::vector<TextJob> jobs);
  /// Those that have not ended; others are none of its business.
  void cancel(std::vector<std::uint64_t> ids);

  /// Calls `look` between two passes, on the thread that runs the engine, and returns when it is done. Throws ApiError
  /// 503 after stop.
  void inspect(const std::function<void(const Engine&)>& look);

  /// Accepts nothing more, and returns when all that runs or waits has ended.
  void stop();

  EngineFigures figures() const;

 private:
  struct Running;
  void run();
  void post(std::function<void()> task);
  void add(TextJob job, std::vector<std::uint64_t>& ids);
  void show(Running& running, std::string_view text, TokenId token, View<const real, 1> logits);
  void finish(Running& running, std::string_view rest, const GenerationResult& result);
  void fail(Running& running, const char* why);
  void step();

  std::unique_ptr<Engine> engine_;
  std::vector<TokenId> ends_;
  size_t waiting_;
  Metrics& metrics_;
  std::map<std::uint64_t, std::shared_ptr<Running>> running_;  // the thread's own, as the engine is
  bool cancelled_ = false;                                     // a text, since the last pass
  mutable std::mutex mutex_;
  std::condition_variable asked_;
  std::vector<std::function<void()>> tasks_;  // for the thread, between two passes
  bool stopping_ = false;
  EngineFigures figures_;
  std::thread thread_;
};

}  // namespace cria::serve
