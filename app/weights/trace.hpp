// cria trace
#pragma once

#include <optional>
#include <string>

namespace cria {

struct TraceOptions {
  std::string model;                  // a folder; empty: the one in data/
  std::optional<std::string> prompt;  // a text, whose tokens are traced
  std::string adapter;                // a folder with an adapter that it is run with; empty: none
  std::string tokens;                 // or .npy of token ids, (T) or (B, T)
  std::string out;                    // where the tensors go
  std::string against;                // a folder with tensors of the same names to compare with; empty: none
  bool gradients = false;
  double tolerance = 1e-4;
  bool json = false;
};

/// Writes every intermediate of a forward pass as .npy: hidden_0 (the embedding), hidden_i (after layer i),
/// hidden_norm, logits, and layer_i_… inside each layer; with `gradients` also loss and grads.safetensors, the gradient
/// of the mean next-token cross entropy under Hugging Face's names. With `against`, names the first tensor in the order
/// of computation that differs, and where. Returns 1 when something does.
int run_trace(const TraceOptions& options);

}  // namespace cria
