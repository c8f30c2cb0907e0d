#include "app/weights/memory.hpp"

#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>

#include "chapters/06-kv-cache/kv_cache.hpp"
#include "chapters/09-sampling/decoder.hpp"

namespace cria {
namespace {

/// The number in a line such as "VmHWM:     1234 kB"; 0 where there is none.
std::size_t kilobytes_in(const char* path, std::string_view name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(name)) return std::strtoull(line.c_str() + name.size(), nullptr, 10);
  return 0;
}

/// What is there before a model is, and the block of B that each thread's products keep packed (lib/simd/gemm.hpp).
std::size_t program_memory(std::size_t threads) {
  constexpr std::size_t packed_block = 640 << 10;
  return process_memory().now + threads * packed_block;
}

}  // namespace

TrainingMemory training_memory(const LlamaConfig& config, const TrainerOptions& options, std::size_t threads) {
  const std::size_t parameters = parameter_count(config) * sizeof(real);
  const std::size_t lane = LossEvaluator::bytes(config, options.micro_batch, options.positions, true);
  return {.weights = parameters,
          .moments = 2 * parameters,
          .gradients = options.lanes * parameters,
          .activations = options.lanes * lane,
          .program = program_memory(threads)};
}

DecodingMemory decoding_memory(const LlamaConfig& config, std::size_t capacity, std::size_t threads,
                               std::size_t sequences, CacheType cache_type) {
  return {.weights = parameter_count(config) * sizeof(real),
          .cache = KvCache::bytes(config.layers, capacity, config.kv_heads, config.head_dim, sequences, cache_type),
          .activations = Decoder::bytes_of_pass(config, capacity, default_chunk, threads, cache_type),
          .program = program_memory(threads)};
}

ProcessMemory process_memory() {
  return {.now = kilobytes_in("/proc/self/status", "VmRSS:") * 1024,
          .most = kilobytes_in("/proc/self/status", "VmHWM:") * 1024};
}

std::size_t available_memory() { return kilobytes_in("/proc/meminfo", "MemAvailable:") * 1024; }

}  // namespace cria
