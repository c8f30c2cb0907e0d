// cria stories
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "lib/grammar/grammar.hpp"

namespace cria {

struct StoriesOptions {
  std::size_t count = 3;
  std::uint64_t seed = 1;
  std::string out;          // a file; empty: the terminal
  std::string grammar;      // a file, or "zipf"; empty: that of the built-in stories, or of the stories on request
  bool requests = false;    // write requests with stories that answer them, as JSON
  std::size_t turns = 0;    // of requests: dialogues of so many; 0: each request by itself
  bool instructed = false;  // in dialogues an instruction stands before every second question
  bool held_out = false;    // of the combinations of slots that training leaves out
  bool statistics = false;  // print figures of the grammar instead of stories
  bool json = false;        // figures as JSON; only with statistics or out
};

/// Returns the exit code. Throws UserError for files that cannot be read or written.
int run_stories(const StoriesOptions& options);

/// The grammar of that file, or the built-in one: of stories, of stories on request, or by the name "zipf" of facts.
Grammar open_grammar(const std::string& chosen, bool requests = false);
/// The file of one that is in a file.
std::filesystem::path grammar_file(const std::string& chosen, bool requests = false);
/// The same for dialogues: by default the one of short stories.
std::filesystem::path dialogue_grammar(const std::string& chosen);

}  // namespace cria
