// ThreadPool: runs a function on several threads at once, or the indices of a loop on whichever thread is free.
//
// Which thread takes which index is left to chance, so results must not depend on it: every index writes to a place of
// its own, and sums over indices are formed afterwards in index order. That is why a training run has the same bits at
// 1, 2 or 16 threads. (Another SIMD target adds in another order, and gives others: see docs/conventions.md.)
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

#include "lib/base/signal.hpp"
#include "lib/base/team.hpp"

namespace cria {

class ThreadPool {
 public:
  /// `threads` counts the caller, so ThreadPool(1) starts no thread. Throws ContractError for zero, and UserError when
  /// the system does not grant so many.
  explicit ThreadPool(std::size_t threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  std::size_t size() const { return workers_.size() + 1; }

  /// Calls body(team) once on every thread and returns when all are done. A part of the data that goes with a rank
  /// meets the same core, and its caches, in every call. Rethrows the first exception. Not to be called from within a
  /// body. Allocates nothing.
  template <class Body>
  void together(Body&& body) {
    run({&body, [](void* self, const Team& team) { (*static_cast<std::remove_reference_t<Body>*>(self))(team); }});
  }

  /// Calls body(0) … body(count - 1), each once, and returns when all are done. Otherwise as `together`.
  template <class Body>
  void for_each(std::size_t count, Body&& body) {
    std::atomic<std::size_t> next{0};
    together([&](const Team&) {
      try {
        for (std::size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < count;) body(i);
      } catch (...) {
        next.store(count, std::memory_order_relaxed);  // nobody starts another index
        throw;
      }
    });
  }

 private:
  // A reference to a caller's function; std::function would copy it to the heap.
  struct BodyReference {
    void* self = nullptr;
    void (*call)(void* self, const Team& team) = nullptr;
  };
  void run(BodyReference body);
  void work(std::size_t rank);       // a worker's life
  void take_part(std::size_t rank);  // calls the body
  void dismiss();                    // lets the workers end

  BodyReference body_;
  Barrier barrier_;
  Signal round_;  // counts calls; its change wakes the workers
  Signal busy_;   // workers that have not finished this round
  std::atomic<bool> stop_{false};
  std::mutex error_mutex_;
  std::exception_ptr error_;
  std::vector<std::jthread> workers_;  // the last member, so they have ended before what they look at goes
};

}  // namespace cria
