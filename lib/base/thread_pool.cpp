#include "lib/base/thread_pool.hpp"

#include <utility>

#include "lib/base/check.hpp"

namespace cria {
namespace {

// Waits until the value is no longer `old`: spins for some hundred microseconds, longer than the threads of a team are
// usually apart and than it takes to sample a token, then sleeps; to be woken can take as long again. It never yields:
// on a machine with other work a thread that yields comes back only when the other process has used up its slice,
// milliseconds later.
void wait_while_equal(const std::atomic<std::uint32_t>& value, std::uint32_t old) {
  for (int i = 0; i < 200000; ++i)
    if (value.load(std::memory_order_acquire) != old) return;
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

void Barrier::reset(std::size_t threads) {
  threads_ = static_cast<std::uint32_t>(threads);
  waiting_.store(0, std::memory_order_relaxed);
  broken_.store(false, std::memory_order_relaxed);
}

void Barrier::wait() {
  // The phase is read first: if the barrier breaks after that, the phase changes and nobody sleeps.
  const std::uint32_t phase = phase_.load(std::memory_order_acquire);
  if (!broken_.load() && waiting_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
    waiting_.store(0, std::memory_order_relaxed);
    phase_.fetch_add(1, std::memory_order_release);
    phase_.notify_all();
  } else if (!broken_.load()) {
    wait_while_equal(phase_, phase);
  }
  if (broken_.load()) throw Broken{};
}

void Barrier::break_up() {
  broken_.store(true);
  phase_.fetch_add(1, std::memory_order_release);
  phase_.notify_all();
}

ThreadPool::ThreadPool(std::size_t threads) {
  require(threads > 0, "ThreadPool", "needs at least one thread");
  for (std::size_t rank = 1; rank < threads; ++rank) workers_.emplace_back([this, rank] { work(rank); });
}

ThreadPool::~ThreadPool() {
  stop_.store(true);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
}

void ThreadPool::run(BodyReference body) {
  body_ = body;
  barrier_.reset(size());
  busy_.store(static_cast<std::uint32_t>(workers_.size()), std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  take_part(0);
  for (std::uint32_t busy; (busy = busy_.load(std::memory_order_acquire)) != 0;) wait_while_equal(busy_, busy);
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void ThreadPool::take_part(std::size_t rank) {
  try {
    body_.call(body_.self, Team(barrier_, rank, size()));
  } catch (const Barrier::Broken&) {  // what broke it is reported by the thread that did
  } catch (...) {
    {
      const std::lock_guard lock(error_mutex_);
      if (!error_) error_ = std::current_exception();
    }
    barrier_.break_up();
  }
}

void ThreadPool::work(std::size_t rank) {
  for (std::uint32_t round = 0;;) {
    wait_while_equal(round_, round);
    round = round_.load(std::memory_order_acquire);
    if (stop_.load()) return;
    take_part(rank);
    if (busy_.fetch_sub(1, std::memory_order_acq_rel) == 1) busy_.notify_one();
  }
}

}  // namespace cria
