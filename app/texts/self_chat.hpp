// cria instructions self-chat
#pragma once

#include "app/run/model_writer.hpp"

namespace cria {

struct SelfChatCommand {
  ModelWriterOptions writer;
  std::string questions;  // a file with a question a line
  std::string out;
  std::size_t turns = 3;
  std::string instruction;  // of Ghost attention; empty: none
};

/// Returns the exit code. Throws UserError for files that cannot be read or written.
int run_self_chat(const SelfChatCommand& options);

/// The lines of a file that are not blank. Throws UserError where there are none, which says `what` was expected.
std::vector<std::string> read_lines_of(const std::string& file, const std::string& what);

/// Writes them, and says how many there are.
void write_answered(const std::string& model, const std::string& out, std::span<const Conversation> conversations);

}  // namespace cria
