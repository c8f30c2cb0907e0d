// Turns: few requests at a time are read and turned into tokens, as that may take many times a body's memory. Others
// wait.
#pragma once

#include <chrono>
#include <semaphore>

#include "lib/http/server.hpp"

namespace cria::serve {

constexpr int most_turns = 2;
using Turns = std::counting_semaphore<most_turns>;

/// Until it goes out of scope.
class Turn {
 public:
  /// Throws http::ClientLeft for a client that does not wait for it.
  Turn(Turns& turns, http::Exchange& exchange) : turns_(turns) {
    while (!turns.try_acquire_for(std::chrono::milliseconds(20))) exchange.require_client();
  }
  ~Turn() { turns_.release(); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Turns& turns_;
};

}  // namespace cria::serve
