// cria eval
#pragma once

#include <cstdint>
#include <string>

namespace cria {

struct EvalOptions {
  std::string model;  // a folder; empty: the one in data/
  std::string data;   // a file, or "stories" for held-out stories of the built-in corpus
  std::size_t threads = 0;
  std::uint64_t seed = 1;  // of the stories
  bool json = false;
};

/// Prints nats per token, bits per byte and perplexity of the text under the model.
int run_eval(const EvalOptions& options);

}  // namespace cria
