// Engine::Text: a request from when it comes in until it has ended.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "chapters/22-serving/engine.hpp"

namespace cria {

struct Engine::Text {
  std::uint64_t id;
  Continuation continuation;
  const std::atomic<bool>* stop;
  EngineEvents events;
  size_t prompt_size;
  std::optional<size_t> place = {};   // in the cache
  size_t revived = 0;                 // see TextState
  bool copies = false;                // of one that waits: see TextState
  size_t positions = 0;               // in this pass
  std::optional<size_t> logits = {};  // their row, if the pass draws its next token
  std::string_view shown = {};        // by it
  bool is_reading = false, is_drawn = false;
  std::string failure = {};
  bool is_gone = false;  // finished or cancelled

  size_t known() const { return continuation.tokens().size(); }
  bool stopped() const { return stop && *stop; }
};

}  // namespace cria
