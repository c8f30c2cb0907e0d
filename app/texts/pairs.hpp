// cria pairs
#pragma once

#include <cstdint>
#include <string>

namespace cria {

struct PairsOptions {
  std::string model;  // a folder or file; empty: the one in data/
  std::string adapter;
  std::string out;
  std::size_t count = 400;  // requests
  std::size_t samples = 8;  // answers to each of them
  double temperature = 1;   // at which they are drawn
  std::uint64_t seed = 1;
  std::size_t threads = 0;
};

/// Returns the exit code. Throws UserError for files that cannot be read or written, and where no request has answers
/// of both kinds.
int run_pairs(const PairsOptions& options);

}  // namespace cria
