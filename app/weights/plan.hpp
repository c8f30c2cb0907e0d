// cria plan
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace cria {

struct PlanOptions {
  std::string model;                   // a preset, a recipe, or a model, of which only the header is read
  std::optional<std::size_t> context;  // none: the model's
  std::size_t batch = 1;               // sequences that are sampled side by side
  std::string type;                    // of stored weights; empty: some usual ones
  std::string cache_type = "f32";
  std::optional<double> tokens;  // to train on; none: what was published, else 20 for each parameter
  std::size_t machines = 1;
  std::optional<double> network;  // Gbit/s between them; none: 10
  std::optional<double> latency;  // microseconds; none: 50
  bool measure = false;           // on the ranks that mpirun started, what is predicted for so many machines
  bool json = false;
};

/// Prints what a Llama of this size takes: parameters, memory, operations, and at this machine's measured limits time.
int run_plan(const PlanOptions& options);

}  // namespace cria
