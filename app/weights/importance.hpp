// cria importance
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace cria {

struct ImportanceOptions {
  std::string model, out;         // a model in any form; a file
  std::vector<std::string> data;  // files, folders of files, "-", or "stories"
  std::size_t threads = 0;
  bool overwrite = false;
};

/// Runs a text through a model and writes the mean squares of what its matrices read. The same bytes at any number of
/// threads.
int run_importance(const ImportanceOptions& options);

}  // namespace cria
