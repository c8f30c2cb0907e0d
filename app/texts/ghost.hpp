// cria instructions ghost and obedience
#pragma once

#include "app/run/model_writer.hpp"
#include "chapters/14-sft/obedience.hpp"

namespace cria {

struct GhostOptions {
  ModelWriterOptions writer;
  std::vector<std::string> data;  // dialogues
  std::string instructions;       // a file with one a line
  std::string out;
};

struct ObedienceCommand {
  ModelWriterOptions writer;
  ObedienceOptions measured;
  std::string grammar;  // empty: that of the short stories
  std::string log;      // empty: none
};

/// Each returns the exit code, and throws UserError for files that cannot be read or written.
int run_ghost(const GhostOptions& options);
int run_obedience(const ObedienceCommand& options);

}  // namespace cria
