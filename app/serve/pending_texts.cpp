#include "app/serve/pending_texts.hpp"

namespace cria::serve {
namespace {

constexpr std::chrono::milliseconds patience{20};  // how long it takes to notice that a client has left, at most

}  // namespace

PendingTexts::PendingTexts(EngineThread& engine, std::vector<TextJob> jobs) : engine_(engine), left_(jobs.size()) {
  for (TextJob& job : jobs) job.mailbox = mailbox_;
  if (left_ > 0) ids_ = engine_.submit(std::move(jobs));
}

PendingTexts::~PendingTexts() {
  try {
    if (left_ > 0) engine_.cancel(ids_);
  } catch (const std::exception&) {  // no memory to ask for it: they go on until they end
  }
}

TextPart PendingTexts::next(http::Exchange& exchange) {
  for (;;) {
    exchange.require_client();
    if (std::optional<TextPart> part = mailbox_->take(patience)) {
      if (part->last) --left_;
      return std::move(*part);
    }
  }
}

}  // namespace cria::serve
