// Team: one thread's place among those that run the same function together, each on its share of the data (single
// program, multiple data). ThreadPool::together starts them; this is all that the function sees of it.
//
// A product divided by the columns of its result, a norm divided by rows, attention divided by heads: each element is
// computed by one thread in the same way as by a thread alone, so results have the same bits with any number of them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "lib/base/signal.hpp"
#include "lib/base/view.hpp"

namespace cria {

/// Where threads wait for each other. A thread that fails breaks it, so that the others do not wait for ever.
class Barrier {
 public:
  struct Broken {};  // thrown by wait: another thread has failed

  /// Before the threads start.
  void reset(std::size_t threads);
  /// Returns when all threads have come; what each wrote before, all can read after.
  void wait();
  void break_up();

 private:
  std::uint32_t threads_ = 1;
  std::atomic<std::uint32_t> waiting_{0};
  Signal phase_;  // its change lets the waiting ones go on
  std::atomic<bool> broken_{false};
};

class Team {
 public:
  Team() = default;  // a thread alone: its share is everything, and it waits for nobody
  Team(Barrier& barrier, std::size_t rank, std::size_t size) : barrier_(&barrier), rank_(rank), size_(size) {}

  std::size_t rank() const { return rank_; }
  std::size_t size() const { return size_; }
  bool first() const { return rank_ == 0; }

  /// This thread's part of 0 … count - 1. Parts begin at multiples of `grain`, in order of rank; some may be empty.
  Range share(std::size_t count, std::size_t grain = 1) const {
    const std::size_t grains = (count + grain - 1) / grain;
    const auto limit = [&](std::size_t rank) {
      const std::size_t at = grains * rank / size_ * grain;
      return at < count ? at : count;
    };
    return {limit(rank_), limit(rank_ + 1)};
  }

  void wait() const {
    if (barrier_) barrier_->wait();
  }

 private:
  Barrier* barrier_ = nullptr;
  std::size_t rank_ = 0, size_ = 1;
};

}  // namespace cria
