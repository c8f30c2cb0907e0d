// ThreadPool: runs the indices of a loop on several threads.
//
// Which thread takes which index is left to chance, so results must not depend on it: every index writes to a place of
// its own, and sums over indices are formed afterwards in index order. That is why a training run has the same bits at
// 1, 2 or 16 threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

namespace cria {

class ThreadPool {
 public:
  /// `threads` counts the caller, so ThreadPool(1) starts no thread. Throws ContractError for zero.
  explicit ThreadPool(std::size_t threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  std::size_t size() const { return workers_.size() + 1; }

  /// Calls body(0) … body(count - 1), each once, and returns when all are done. Rethrows the first exception.
  /// Not to be called from within a body. Allocates nothing.
  template <class Body>
  void for_each(std::size_t count, Body&& body) {
    run(count,
        {&body, [](void* self, std::size_t index) { (*static_cast<std::remove_reference_t<Body>*>(self))(index); }});
  }

 private:
  // A reference to a caller's function; std::function would copy it to the heap.
  struct BodyReference {
    void* self = nullptr;
    void (*call)(void* self, std::size_t index) = nullptr;
  };
  void run(std::size_t count, BodyReference body);
  void work();          // a worker's life
  void take_indices();  // until the loop has none left

  std::vector<std::jthread> workers_;
  BodyReference body_;
  std::size_t count_ = 0;
  std::atomic<std::size_t> next_{0};
  std::atomic<std::uint32_t> round_{0};  // counts loops; its change wakes the workers
  std::atomic<std::uint32_t> busy_{0};   // workers that have not finished this round
  std::atomic<bool> stop_{false};
  std::mutex error_mutex_;
  std::exception_ptr error_;
};

}  // namespace cria
