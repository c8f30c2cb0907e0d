// The limits of the machine, as cases like all others: what else is measured is held against them.
#pragma once

#include <string>
#include <vector>

#include "app/bench/measure.hpp"
#include "lib/base/thread_pool.hpp"

namespace cria::bench {

class Machine {
 public:
  explicit Machine(ThreadPool& pool);

  /// Multiply-adds in registers, in GFLOP/s.
  Case multiply_add(const std::string& target, size_t threads) const;

  /// Products of whole numbers of 8 bits in registers, in Gop/s: as weights in blocks are multiplied.
  Case multiply_codes(const std::string& target, size_t threads) const;

  /// Reading so many bytes where they fit, in GB/s: in the smallest cache that can hold them, named "L1" to "L3", or
  /// else in "memory". Of a core's own cache half is read; of the last one and of memory, which are not as fast
  /// everywhere, as many bytes as that, up to eight times the last cache. Each thread reads a part in one piece, over
  /// and over, in memory for which huge pages were asked.
  Case read(const std::string& target, size_t bytes, size_t threads) const;

  /// One of each, as a section of its own.
  std::vector<Case> limits(const std::vector<size_t>& thread_counts) const;

  struct Cache {
    std::string name;
    size_t bytes;
    bool shared;  // by the threads
  };

  /// Calls body(team) on this many threads: the caller alone, or all of the pool.
  template <class Body>
  void together(size_t threads, Body&& body) const {
    if (threads == 1)
      body(Team());
    else
      pool_.together(body);
  }
  ThreadPool& pool() const { return pool_; }

 private:
  /// `run` returns something that depends on all of its rounds of so many operations.
  Case in_registers(const char* name, const char* type, const char* unit, size_t operations_per_round,
                    const std::string& target, size_t threads, std::function<double(size_t rounds)> run) const;

  /// Half of the cache where bytes is 0.
  Case read_from(const Cache* cache, size_t bytes, const std::string& target, size_t threads) const;

  ThreadPool& pool_;
  std::vector<Cache> caches_;  // the smallest first
};

}  // namespace cria::bench
