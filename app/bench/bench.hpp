// cria bench
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace cria {

struct BenchOptions {
  std::string what = "all";       // or ladder, context, busy, memory, serve
  std::vector<std::string> only;  // texts of which one must be in a case's section, name, shape or target; empty: all
  std::size_t threads = 0;        // 0: one for each CPU
  std::size_t repeats = 7;
  std::string against;                           // openblas or onednn; empty: nothing
  std::vector<std::string> types;                // of weights: F32, F16, Q8_0, …
  std::string config;                            // a folder or config.json: also this shape
  std::string tokenizer;                         // a folder or file; empty: the built-in model's
  std::string text;                              // a file; empty: stories
  std::string svg;                               // with context: a file for the plot
  std::string url = "http://127.0.0.1:8080/v1";  // with serve: of the server
  std::vector<std::size_t> clients{1, 4, 16};    // that each ask again when they are answered
  std::vector<double> rates;                     // of requests a second, that come by chance
  std::size_t requests = 64;                     // of each load
  std::size_t prompt_words = 64, tokens = 64;    // of each request
  bool json = false;
};

/// Measures the limits of this machine, and how near to them the primitives, training, inference and the tokenizer
/// come. Returns the exit code. Throws UserError for bad options.
int run_bench(const BenchOptions& options);

}  // namespace cria
