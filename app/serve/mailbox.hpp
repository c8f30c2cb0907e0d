// Mailbox: the way of a request's texts from the thread that runs the model to the one that talks to the client.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

#include "app/serve/token_logprobs.hpp"

namespace cria::serve {

/// What is new of one of a request's texts.
struct TextPart {
  size_t text_index = 0;
  std::string text = {};                    // of whole characters, as long as the model writes any; may be empty
  std::optional<TokenLogprobs> token = {};  // where they were asked for
  bool last = false;
  bool ended = false;        // of the last: by itself or a stop string, not by its length
  size_t tokens = 0;         // of the last: of the whole text
  std::string failure = {};  // of the last: why there is no more; empty: all is well
};

class Mailbox {
 public:
  void put(TextPart part) {
    const std::lock_guard lock(mutex_);
    parts_.push_back(std::move(part));
    filled_.notify_one();
  }

  /// Instead of a part for which there is no memory: all of the request's texts have failed.
  void lose() {
    const std::lock_guard lock(mutex_);
    lost_ = true;
    filled_.notify_one();
  }

  /// Nothing where none comes in that time.
  std::optional<TextPart> take(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    if (!filled_.wait_for(lock, time, [&] { return lost_ || !parts_.empty(); })) return std::nullopt;
    if (parts_.empty()) return TextPart{.last = true, .failure = "out of memory"};
    TextPart part = std::move(parts_.front());
    parts_.pop_front();
    return part;
  }

 private:
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<TextPart> parts_;
  bool lost_ = false;
};

}  // namespace cria::serve
