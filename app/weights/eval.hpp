// cria eval
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cria {

struct EvalOptions {
  std::string model;              // a folder; empty: the one in data/
  std::string adapter;            // a folder; empty: none
  std::string against;            // another model; empty: none
  std::vector<std::string> data;  // files, folders of files, "-", or "stories"
  bool packed = false;            // with weights in the types of its file, as when it is sampled from
  std::size_t context = 0;        // tokens in a window; 0: the model's context
  std::size_t threads = 0;
  std::string cache_type = "f32";  // of the keys and values that attention sees; not of the other model's
  std::uint64_t seed = 1;          // of the stories
  bool json = false;
};

/// Prints nats per token, bits per byte and perplexity of the text under the model, with keys and values as a cache of
/// that type gives them back, and how far its probabilities are from those of the other.
int run_eval(const EvalOptions& options);

}  // namespace cria
