#include "app/memory.hpp"

#include <cstdlib>
#include <fstream>
#include <string>

#include "chapters/06-kv-cache/kv_cache.hpp"
#include "chapters/09-sampling/decoder.hpp"

namespace cria {
namespace {

/// Everything that a run allocates grows in a straight line with the positions, so two small runs tell of a large one.
template <class Bytes>
std::size_t at_positions(std::size_t positions, Bytes&& bytes) {
  const std::size_t one = bytes(1), two = bytes(2);
  return one + (positions - 1) * (two - one);
}

/// What is there before a model is, and the block of B that each thread's products keep packed (lib/simd/gemm.hpp).
std::size_t program_memory(std::size_t threads) {
  constexpr std::size_t packed_block = 640 << 10;
  return process_memory().now + threads * packed_block;
}

}  // namespace

TrainingMemory training_memory(const LlamaConfig& config, const TrainerOptions& options, std::size_t threads) {
  const std::size_t parameters = parameter_count(config) * sizeof(real);
  const std::size_t lane = at_positions(options.positions, [&](std::size_t positions) {
    return LossEvaluator(config, options.micro_batch, positions, true).bytes();
  });
  return {.weights = parameters,
          .moments = 2 * parameters,
          .gradients = options.lanes * parameters,
          .activations = options.lanes * lane,
          .program = program_memory(threads)};
}

DecodingMemory decoding_memory(const LlamaConfig& config, std::size_t capacity, std::size_t threads) {
  const auto bytes = [&](std::size_t rows, std::size_t keys) {
    return LlamaActivations(config, 1, rows, keys, Keep::one_layer, threads).bytes();
  };
  const std::size_t scratch = at_positions(capacity, [&](std::size_t keys) { return bytes(1, keys); }) - bytes(1, 1);
  const std::size_t rows =
      at_positions(decoder_chunk(config, capacity), [&](std::size_t count) { return bytes(count, 1); });
  return {.weights = parameter_count(config) * sizeof(real),
          .cache = KvCache::bytes(config.layers, capacity, config.kv_heads, config.head_dim),
          .activations = rows + scratch,
          .program = program_memory(threads)};
}

ProcessMemory process_memory() {
  ProcessMemory memory;
  std::ifstream file("/proc/self/status");  // "VmHWM:     1234 kB"
  for (std::string line; std::getline(file, line);) {
    const auto kilobytes = [&] { return std::strtoull(line.c_str() + line.find(':') + 1, nullptr, 10) * 1024; };
    if (line.starts_with("VmRSS:")) memory.now = kilobytes();
    if (line.starts_with("VmHWM:")) memory.most = kilobytes();
  }
  return memory;
}

}  // namespace cria
