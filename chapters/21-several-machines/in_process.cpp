// Chapter 21, ranks that are threads.
#include "chapters/21-several-machines/in_process.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "lib/base/check.hpp"

namespace cria {
namespace {

// What is on its way between each two ranks, seen by all.
class Exchange {
 public:
  Exchange(std::size_t ranks, std::chrono::milliseconds patience)
      : ranks_(ranks), patience_(patience), offers_(ranks * ranks) {}

  std::size_t ranks() const { return ranks_; }

  void transfer(std::size_t rank, std::optional<std::size_t> to, std::span<const std::byte> out,
                std::optional<std::size_t> from, std::span<std::byte> in) {
    std::unique_lock lock(mutex_);
    if (to) {
      std::span<const std::byte>& offer = offers_[rank * ranks_ + *to];
      offer = out;
      changed_.notify_all();
    }
    if (from) {
      std::span<const std::byte>& offer = offers_[*from * ranks_ + rank];
      wait(lock, *from, [&] { return !offer.empty(); });
      require(offer.size() == in.size(), "Communicator", "one rank sends another length than the other expects");
      std::ranges::copy(offer, in.begin());
      offer = {};
      changed_.notify_all();
    }
    if (to) wait(lock, *to, [&] { return offers_[rank * ranks_ + *to].empty(); });
  }

  /// All that wait are released; the first error is the one that counts.
  void fail(std::exception_ptr error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
    changed_.notify_all();
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  template <class Done>
  void wait(std::unique_lock<std::mutex>& lock, std::size_t other, Done done) {
    const bool in_time = changed_.wait_for(lock, patience_, [&] { return error_ || done(); });
    if (!in_time) {
      error_ = std::make_exception_ptr(
          UserError(fmt::format("rank {} has not answered for {:.3g} s", other, double(patience_.count()) / 1000)));
      changed_.notify_all();
    }
    if (error_) throw UserError("another rank has failed");  // and what it offers may be gone: nothing is read any more
  }

  std::size_t ranks_;
  std::chrono::milliseconds patience_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::span<const std::byte>> offers_;  // from · ranks + to; empty: none
  std::exception_ptr error_;
};

class ThreadRank : public Communicator {
 public:
  ThreadRank(Exchange& exchange, std::size_t rank) : exchange_(exchange), rank_(rank) {}
  std::size_t rank() const override { return rank_; }
  std::size_t size() const override { return exchange_.ranks(); }

 private:
  void transfer(std::optional<std::size_t> to, std::span<const std::byte> out, std::optional<std::size_t> from,
                std::span<std::byte> in) override {
    exchange_.transfer(rank_, to, out, from, in);
  }

  Exchange& exchange_;
  std::size_t rank_;
};

}  // namespace

void run_ranks(std::size_t ranks, const std::function<void(Communicator&)>& body, std::chrono::milliseconds patience) {
  Exchange exchange(ranks, patience);
  {
    std::vector<std::jthread> threads;
    for (std::size_t rank = 0; rank < ranks; ++rank)
      threads.emplace_back([&, rank] {
        try {
          ThreadRank here(exchange, rank);
          body(here);
        } catch (...) {
          exchange.fail(std::current_exception());
        }
      });
  }
  exchange.rethrow();
}

}  // namespace cria
