// cria look
#pragma once

#include <optional>
#include <string>

namespace cria {

struct LookOptions {
  std::string model;                  // a folder; empty: the one in data/
  std::optional<std::string> prompt;  // none: the beginning of a built-in story
  std::string prompt_file;            // instead of it
  std::string second_tokenizer;       // a file or folder; empty: none
  std::string run;                    // a training run's folder, or its log; empty: none
  std::string lessons;  // an address that chapters are linked below; empty: those of this program's sources
  std::string out;      // the folder for the page
};

/// Writes a page on which one can look inside a model while it reads a text: files that a browser opens from the disk.
int run_look(const LookOptions& options);

}  // namespace cria
