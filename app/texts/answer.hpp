// cria answer
#pragma once

#include "app/run/sample.hpp"

namespace cria {

struct AnswerOptions {
  std::string model;     // a folder or file; empty: the one in data/
  std::string requests;  // as `stories --requests` writes them
  std::string out;
  std::string adapter;  // a folder with one; empty: none
  std::string grammar;  // empty: that of the stories on request
  SamplingChoice sampling;
  std::size_t threads = 0;
};

/// Returns the exit code. Throws UserError for files that cannot be read or written.
int run_answer(const AnswerOptions& options);

}  // namespace cria
