// cria fill
#pragma once

#include <optional>
#include <string>

#include "app/run/sample.hpp"

namespace cria {

struct FillOptions {
  std::string model;                          // as everywhere; empty: the one in data/
  std::string file;                           // with a marker where something is to be written, or …
  std::optional<std::string> prefix, suffix;  // … what stands before and behind it
  std::string marker = "<FILL>";
  bool suffix_first = false;
  SamplingChoice sampling;
  std::size_t tokens = GenerationOptions().tokens;
  std::size_t threads = 0;
  std::string cache_type = "f32";
};

int run_fill(const FillOptions& options);

}  // namespace cria
