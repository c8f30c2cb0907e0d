// PendingTexts: texts on their way to a client. Those that have not ended when nobody waits for them any more are
// cancelled.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "app/serve/engine_thread.hpp"
#include "lib/http/server.hpp"

namespace cria::serve {

class PendingTexts {
 public:
  /// The engine must outlive them. Throws ApiError as EngineThread::submit does.
  PendingTexts(EngineThread& engine, std::vector<TextJob> jobs);
  ~PendingTexts();
  PendingTexts(const PendingTexts&) = delete;
  PendingTexts& operator=(const PendingTexts&) = delete;

  bool done() const { return left_ == 0; }

  /// Throws http::ClientLeft.
  TextPart next(http::Exchange& exchange);

 private:
  EngineThread& engine_;
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  size_t left_;
  std::vector<std::uint64_t> ids_;
};

}  // namespace cria::serve
