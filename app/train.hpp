// cria train
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace cria {

struct TrainOptions {
  std::optional<std::string> data;  // a file; none: the built-in stories
  std::string recipe;               // a file; empty: the defaults
  std::string folder;               // empty: runs/<name of the data>
  std::string tokenizer;            // empty: bpe
  std::optional<std::size_t> steps;
  std::optional<double> minutes;
  std::size_t threads = 0;            // 0: one for each CPU
  std::optional<std::uint64_t> seed;  // none: 1
  bool resume = false;
  std::string log;           // empty: log.jsonl in the folder
  bool list_recipe = false;  // only print the keys of a recipe
  bool json = false;
  bool quiet = false;
};

/// Returns the exit code. Throws UserError for bad options and files.
int run_train(TrainOptions options);

/// Throws UserError for a time that is not above 0, or has no end.
void require_minutes(double minutes);

/// The number of threads that 0 stands for: one for each CPU that the program may use (lib/base/cpus.hpp).
std::size_t thread_count(std::size_t wanted);

}  // namespace cria
