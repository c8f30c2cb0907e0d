#include "lib/base/thread_pool.hpp"

#include <utility>

#include <utility>

#include "lib/base/check.hpp"

namespace cria {
namespace {

// Waits until the value is no longer `old`: spins briefly (a fork and join then costs well under a microsecond), yields
// (another process may need this core to let our partner finish), then sleeps.
void wait_while_equal(const std::atomic<std::uint32_t>& value, std::uint32_t old) {
  for (int i = 0; i < 2000; ++i)
    if (value.load(std::memory_order_acquire) != old) return;
  for (int i = 0; i < 50; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    std::this_thread::yield();
  }
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

ThreadPool::ThreadPool(std::size_t threads) {
  require(threads > 0, "ThreadPool", "needs at least one thread");
  for (std::size_t i = 1; i < threads; ++i) workers_.emplace_back([this] { work(); });
}

ThreadPool::~ThreadPool() {
  stop_.store(true);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
}

void ThreadPool::run(std::size_t count, BodyReference body) {
  body_ = body;
  count_ = count;
  next_.store(0, std::memory_order_relaxed);
  busy_.store(static_cast<std::uint32_t>(workers_.size()), std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  take_indices();
  for (std::uint32_t busy; (busy = busy_.load(std::memory_order_acquire)) != 0;) wait_while_equal(busy_, busy);
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void ThreadPool::take_indices() {
  try {
    for (std::size_t i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < count_;) body_.call(body_.self, i);
  } catch (...) {
    next_.store(count_, std::memory_order_relaxed);  // nobody starts another index
    const std::lock_guard lock(error_mutex_);
    if (!error_) error_ = std::current_exception();
  }
}

void ThreadPool::work() {
  for (std::uint32_t round = 0;;) {
    wait_while_equal(round_, round);
    round = round_.load(std::memory_order_acquire);
    if (stop_.load()) return;
    take_indices();
    if (busy_.fetch_sub(1, std::memory_order_acq_rel) == 1) busy_.notify_one();
  }
}

}  // namespace cria
