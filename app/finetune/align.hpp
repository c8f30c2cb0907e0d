// cria demo align: each method of fine-tuning in turn, and what each gains at which distance.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace cria {

struct AlignOptions {
  double minutes = 10;  // in all, on two cores
  std::string from;     // what the methods after SFT begin with; empty: the tuned model that comes with cria
  std::size_t threads = 0;
  std::uint64_t seed = 1;
  std::size_t judged = 300;  // held-out requests that each model answers
  std::string folder;        // empty: runs/align, or runs/align-2 and so on
};

/// From the small model to one that obeys. First SFT; then, from a model that had 14 000 steps of it, each method that
/// learns from the model's own answers: what SFT teaches in a few minutes is too little for them. Every model answers
/// requests for combinations that no training met, an exact judge says how many it obeyed, and a picture shows that
/// over the divergence from the model they began with, beside the frontier that none can pass.
int run_align(const AlignOptions& options);

}  // namespace cria
