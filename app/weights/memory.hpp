// What training and decoding take in memory, known before they start. `cria info` states it, `cria bench memory` checks
// it against what the system counted.
#pragma once

#include <cstddef>

#include "chapters/08-llama/config.hpp"
#include "chapters/10-training-step/trainer.hpp"
#include "lib/tensor/stored_heads.hpp"

namespace cria {

/// In bytes.
struct TrainingMemory {
  std::size_t weights;
  std::size_t moments;      // AdamW's two
  std::size_t gradients;    // one set for each lane
  std::size_t activations;  // of each lane's micro-batch, with the logits and what backward writes on its way
  std::size_t program;  // what this process takes now: the program with its libraries, and a tokenizer that is open;
                        // and each thread's packed block of a matrix

  std::size_t total() const { return weights + moments + gradients + activations + program; }
};
TrainingMemory training_memory(const LlamaConfig& config, const TrainerOptions& options, std::size_t threads);

/// In bytes.
struct DecodingMemory {
  std::size_t weights;
  std::size_t cache;
  std::size_t activations;
  std::size_t program;

  std::size_t total() const { return weights + cache + activations + program; }
};
/// Each of the sequences has a cache, in numbers of that type; they share one pass.
DecodingMemory decoding_memory(const LlamaConfig& config, std::size_t capacity, std::size_t threads,
                               std::size_t sequences = 1, CacheType cache_type = CacheType::f32);

/// What the system counts for this process, in bytes: now, and the most so far. 0 where it does not say.
struct ProcessMemory {
  std::size_t now = 0, most = 0;
};
ProcessMemory process_memory();

/// Bytes that can be allocated without swapping, as the system estimates it. 0 where it does not say.
std::size_t available_memory();

}  // namespace cria
