// cria quantise
#pragma once

#include <cstddef>
#include <string>

namespace cria {

struct QuantiseOptions {
  std::string from, to;  // a model in any form; a name that ends in .gguf
  std::string type;      // a type of blocks, or a mixture of them
  std::size_t threads = 0;
  bool overwrite = false;
};

/// Reads a model in any form and writes it as a GGUF file of blocks whose scales were searched for, whole or not at
/// all. The same bytes at any number of threads.
int run_quantise(const QuantiseOptions& options);

}  // namespace cria
