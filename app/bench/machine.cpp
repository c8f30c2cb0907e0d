#include "app/bench/machine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "lib/simd/limits.hpp"
#include "lib/simd/primitives.hpp"

namespace cria::bench {
namespace {

/// Ones. An arena of 4 MiB and more asks for huge pages: with small ones, every 4 KiB may cost a look into the tables.
/// They are written because pages that never were are all the same page of zeros, which a cache holds.
std::shared_ptr<Arena<real>> memory_of(size_t bytes) {
  auto memory = std::make_shared<Arena<real>>(std::max(bytes, size_t{4} << 20) / sizeof(real));
  std::ranges::fill(memory->take(Shape<1>{memory->capacity()}).span(), real(1));
  return memory;
}

/// What Linux says of the first core's data caches; the usual sizes where it says nothing.
std::vector<Machine::Cache> find_caches() {
  std::vector<Machine::Cache> caches = {{"L1", 32 << 10, false}, {"L2", 1 << 20, false}, {"L3", 32 << 20, true}};
  const auto first_word = [](const std::filesystem::path& file) {
    std::string word;
    std::ifstream(file) >> word;
    return word;
  };
  for (int i = 0; i < 8; ++i) {
    const std::filesystem::path folder = fmt::format("/sys/devices/system/cpu/cpu0/cache/index{}", i);
    const std::string level = first_word(folder / "level"), size = first_word(folder / "size");  // "32K"
    if (level < "1" || level > "3" || first_word(folder / "type") == "Instruction") continue;
    const size_t bytes = std::strtoul(size.c_str(), nullptr, 10) << (size.ends_with('M') ? 20 : 10);
    if (bytes > 0) caches[static_cast<size_t>(level[0] - '1')].bytes = bytes;
  }
  return caches;
}

}  // namespace

Machine::Machine(ThreadPool& pool) : pool_(pool), caches_(find_caches()) {}

Case Machine::in_registers(const char* name, const char* type, const char* unit, size_t operations_per_round,
                           const std::string& target, size_t threads, std::function<double(size_t rounds)> run) const {
  constexpr size_t rounds = 100000;
  return {.name = name,
          .shape = "registers",
          .type = type,
          .target = target,
          .threads = threads,
          .unit = unit,
          .amount = double(threads * rounds * operations_per_round) * 1e-9,
          .prepare = [this, threads, run = std::move(run)] {
            return [this, threads, run] { together(threads, [&](const Team&) { keep(run(rounds)); }); };
          }};
}

Case Machine::multiply_add(const std::string& target, size_t threads) const {
  const simd::LimitLoops& loops = simd::limit_loops(target);
  return in_registers("fma", real_type, "GFLOP/s", loops.operations_per_round, target, threads,
                      [&loops](size_t rounds) { return loops.multiply_add(rounds, real(0.999), real(0.001)); });
}

Case Machine::multiply_codes(const std::string& target, size_t threads) const {
  const simd::CodeLimit& limit = simd::code_limit(target);
  return in_registers("int8", "int8", "Gop/s", limit.operations_per_round, target, threads, [&limit](size_t rounds) {
    std::int8_t x[simd::CodeLimit::activations];
    for (size_t i = 0; i < std::size(x); ++i) x[i] = static_cast<std::int8_t>(i);
    return limit.multiply(rounds, x);
  });
}

Case Machine::read(const std::string& target, size_t bytes, size_t threads) const {
  for (const Cache& cache : caches_)
    if (bytes <= (cache.shared ? 1 : threads) * cache.bytes) return read_from(&cache, bytes, target, threads);
  return read_from(nullptr, bytes, target, threads);
}

Case Machine::read_from(const Cache* cache, size_t bytes, const std::string& target, size_t threads) const {
  const size_t shared_by = cache && !cache->shared ? 1 : threads;
  const bool own = !cache || (cache->shared && bytes > 0);
  size_t part = own ? std::min(bytes, 8 * caches_.back().bytes) / threads : cache->bytes / 2 / shared_by;
  part = part / 4096 * 4096;
  const size_t times = std::max<size_t>(1, (size_t{4} << 20) / part);  // between two meetings of the threads
  const std::string size = part * threads < (1u << 20) ? fmt::format("{} KiB", part * threads >> 10)
                                                       : fmt::format("{} MiB", part * threads >> 20);
  const simd::LimitLoops& loops = simd::limit_loops(target);
  return {.name = cache ? cache->name : "memory",
          .shape = "read " + size,
          .target = target,
          .threads = threads,
          .unit = "GB/s",
          .amount = double(part * threads * times) * 1e-9,
          .prepare = [this, threads, part, times, &loops] {
            return [this, threads, part, times, &loops, memory = memory_of(part * threads)] {
              const real* numbers = memory->span().data();
              together(threads, [&](const Team& team) {
                const real* from = numbers + team.rank() * part / sizeof(real);
                for (size_t i = 0; i < times; ++i) keep(loops.read(from, part / sizeof(real)));
              });
            };
          }};
}

std::vector<Case> Machine::limits(const std::vector<size_t>& thread_counts) const {
  std::vector<Case> cases;
  for (const std::string_view target : simd::available_targets())
    for (const size_t threads : thread_counts) cases.push_back(multiply_add(std::string(target), threads));
  for (const std::string_view target : simd::available_targets())
    for (const size_t threads : thread_counts) cases.push_back(multiply_codes(std::string(target), threads));
  const std::string best(simd::available_targets().back());
  for (const Cache& cache : caches_)
    for (const size_t threads : thread_counts) cases.push_back(read_from(&cache, 0, best, threads));
  for (const size_t threads : thread_counts) cases.push_back(read_from(nullptr, ~size_t{0}, best, threads));
  return cases;
}

}  // namespace cria::bench
