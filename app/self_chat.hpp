// cria instructions self-chat
#pragma once

#include "app/sample.hpp"

namespace cria {

struct SelfChatCommand {
  std::string model;      // a folder or file; empty: the one in data/
  std::string questions;  // a file with a question a line
  std::string out;
  std::size_t turns = 3;
  std::string instruction;   // of Ghost attention; empty: none
  std::size_t tokens = 256;  // of one message, at most
  SamplingChoice sampling;
  std::size_t threads = 0;
};

/// Returns the exit code. Throws UserError for files that cannot be read or written.
int run_self_chat(const SelfChatCommand& options);

}  // namespace cria
