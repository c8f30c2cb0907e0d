// cria quantise
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace cria {

struct QuantiseOptions {
  std::string from, to;           // a model in any form; a name that ends in .gguf
  std::string type;               // a type of blocks, or a mixture of them
  std::string importance;         // a file; empty: numbers weigh by their size
  std::vector<std::string> gptq;  // files, folders of files, "-", or "stories" to calibrate with; empty: no GPTQ
  std::optional<double> damping;
  bool act_order = false;
  std::size_t threads = 0;
  bool overwrite = false;
};

/// Reads a model in any form and writes it as a GGUF file of blocks whose scales were searched for, whole or not at
/// all. The same bytes at any number of threads.
int run_quantise(const QuantiseOptions& options);

}  // namespace cria
