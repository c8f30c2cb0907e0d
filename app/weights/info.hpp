// cria info
#pragma once

#include <string>

namespace cria {

struct InfoOptions {
  std::string model;  // a folder; empty: only the machine and the build
  std::string cache_type = "f32";
  bool json = false;
};

/// Prints the CPU, the kernels in use and the library versions; for a model also parameters by part, memory, cache size
/// and floating-point operations per token.
int run_info(const InfoOptions& options);

}  // namespace cria
