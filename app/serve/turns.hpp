// Turns: few requests at a time are read and turned into tokens, as that may take many times a body's memory. Others
// wait.
#pragma once

#include <semaphore>

namespace cria::serve {

constexpr int most_turns = 2;
using Turns = std::counting_semaphore<most_turns>;

/// Until it ends, or goes out of scope.
class Turn {
 public:
  explicit Turn(Turns& turns) : turns_(&turns) { turns.acquire(); }
  ~Turn() { end(); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  void end() {
    if (turns_) turns_->release();
    turns_ = nullptr;
  }

 private:
  Turns* turns_;
};

}  // namespace cria::serve
