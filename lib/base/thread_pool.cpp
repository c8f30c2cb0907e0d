#include "lib/base/thread_pool.hpp"

#include <fmt/format.h>

#include <system_error>
#include <utility>

#include "lib/base/check.hpp"

namespace cria {

void Barrier::reset(std::size_t threads) {
  threads_ = static_cast<std::uint32_t>(threads);
  waiting_.store(0, std::memory_order_relaxed);
  broken_.store(false, std::memory_order_relaxed);
}

void Barrier::wait() {
  // The phase is read first: if the barrier breaks after that, the phase changes and nobody sleeps.
  const std::uint32_t phase = phase_.load();
  if (!broken_.load() && waiting_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
    waiting_.store(0, std::memory_order_relaxed);
    phase_.add(1);
    phase_.wake();
  } else if (!broken_.load()) {
    phase_.wait_while(phase);
  }
  if (broken_.load()) throw Broken{};
}

void Barrier::break_up() {
  broken_.store(true);
  phase_.add(1);
  phase_.wake();
}

ThreadPool::ThreadPool(std::size_t threads) {
  require(threads > 0, "ThreadPool", "needs at least one thread");
  try {
    for (std::size_t rank = 1; rank < threads; ++rank) workers_.emplace_back([this, rank] { work(rank); });
  } catch (const std::system_error& error) {
    dismiss();
    throw UserError(fmt::format("cannot start {} threads: {}; choose fewer with --threads", threads, error.what()));
  } catch (...) {
    dismiss();  // else their destructors would wait for ever
    throw;
  }
}

ThreadPool::~ThreadPool() { dismiss(); }

void ThreadPool::dismiss() {
  stop_.store(true);
  round_.add(1);
  round_.wake();
}

void ThreadPool::run(BodyReference body) {
  body_ = body;
  barrier_.reset(size());
  busy_.store(static_cast<std::uint32_t>(workers_.size()));
  round_.add(1);
  round_.wake();
  take_part(0);
  for (std::uint32_t busy; (busy = busy_.load()) != 0;) busy_.wait_while(busy);
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
    round_.wait_while(round);
    round = round_.load();
    if (stop_.load()) return;
    take_part(rank);
    if (busy_.subtract(1) == 1) busy_.wake();
  }
}

}  // namespace cria
