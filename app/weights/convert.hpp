// cria convert
#pragma once

#include <optional>
#include <string>

namespace cria {

struct ConvertOptions {
  std::string from, to;            // a model in any form; a folder, or a name that ends in .gguf
  std::string type;                // of the matrices; empty: each its own
  std::string adapter;             // a folder, whose adapter is merged into the weights; empty: none
  std::optional<size_t> kv_heads;  // so many are made of the model's key and value heads
  bool overwrite = false;
};

/// Reads a model in any form and writes it as a folder in Hugging Face's layout or as a GGUF file, whole or not at all.
int run_convert(const ConvertOptions& options);

}  // namespace cria
