// cria chat
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/run/sample.hpp"

namespace cria {

struct ChatOptions {
  std::string model;                  // as everywhere; empty: the one in data/
  std::string adapter;                // a folder; empty: none
  std::optional<std::string> prompt;  // one question, and no conversation; "-": all of standard input
  std::string system;                 // what the model is told first
  std::string chat_template;          // the name of a format, or a file; empty: the model's own
  SamplingChoice sampling;
  std::size_t tokens = 1024;  // of an answer, at most: small models may go on without end
  std::size_t context = 0;    // 0: the model's, at most 4096
  std::size_t threads = 0;
  std::string cache_type = "f32";
  bool stats = false;
};

int run_chat(const ChatOptions& options);

/// The context that --context asks for; 0: the model's, at most 4096. Throws UserError for more than the model has.
std::size_t chosen_context(std::size_t wanted, const LlamaConfig& config);

}  // namespace cria
