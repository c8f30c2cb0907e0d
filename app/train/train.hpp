// cria train
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace cria {

class Machines;

struct TrainOptions {
  std::vector<std::string> data;  // files, folders of files, "-"; empty: the built-in stories
  std::string recipe;             // a file; empty: the defaults
  std::string folder;             // empty: the first of `base`, `base`-2, … that is free
  std::filesystem::path base;     // empty: runs/<name of the data>
  std::string tokenizer;          // empty: bpe
  std::string from;               // a model's folder, whose weights are gone on from; empty: new weights
  std::optional<std::size_t> steps;
  std::optional<double> minutes;
  std::size_t threads = 0;            // 0: one for each CPU
  std::string parallel;               // what ranks share: data, tensor; empty: data
  std::optional<std::uint64_t> seed;  // none: 1
  bool resume = false;
  double save_minutes = 5;
  std::size_t keep_every = 0;          // steps; 0: no models are kept but the last and the best
  std::optional<std::uint16_t> watch;  // the port of a page that shows the run; 0: one that is free
  std::string log;                     // empty: log.jsonl in the folder
  bool list_recipe = false;            // only print the keys of a recipe
  bool json = false;
  bool quiet = false;
};

/// Returns the exit code. Throws UserError for bad options and files.
int run_train(const TrainOptions& options);

struct TrainResult {
  std::filesystem::path folder;
  bool stopped;  // by a signal: whoever called it should end too
};
/// The same, for commands that go on with the model; with these machines, where there are others.
TrainResult train(const TrainOptions& options, Machines* machines = nullptr);

/// Throws UserError for a time that is not above 0, or has no end.
void require_minutes(double minutes, const char* option = "--minutes");

}  // namespace cria
