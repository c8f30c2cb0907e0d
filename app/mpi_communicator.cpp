// The ranks that mpirun started. MPI is only asked for transfers that do not wait, so that one thread can see whether
// the others are alive while another one computes or waits.
#include "app/mpi_communicator.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>

namespace cria {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto beat = 250ms;
constexpr size_t name_length = 96;
constexpr size_t piece = size_t{1} << 30;  // MPI counts in int

// After how long a rank that says nothing counts as lost. It says so whatever it computes.
Clock::duration silence() {
  const char* seconds = std::getenv("CRIA_SILENCE");
  const double wanted = seconds ? std::atof(seconds) : 0;
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(wanted >= 1 ? wanted : 15));
}

class MpiCommunicator : public Communicator {
 public:
  MpiCommunicator() : silence_(silence()) {
    int provided = 0;
    MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
    MPI_Comm_dup(MPI_COMM_WORLD, &beats_);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_set_errhandler(beats_, MPI_ERRORS_RETURN);
    exchange_names();
    if (rank_ > 0)
      for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_IGN);
    if (provided >= MPI_THREAD_SERIALIZED) watch_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
  }

  ~MpiCommunicator() override {
    MPI_Request all_here;
    {
      const std::lock_guard lock(mutex_);
      MPI_Ibarrier(MPI_COMM_WORLD, &all_here);
    }
    wait({&all_here, 1}, -1);
    if (watch_.joinable()) {
      watch_.request_stop();
      watch_.join();
    }
    MPI_Finalize();
  }

  size_t rank() const override { return size_t(rank_); }
  size_t size() const override { return size_t(size_); }

 private:
  void transfer(std::optional<size_t> to, std::span<const std::byte> out, std::optional<size_t> from,
                std::span<std::byte> in) override {
    requests_.clear();
    {
      const std::lock_guard lock(mutex_);
      if (from)
        for (size_t at = 0; at < in.size(); at += piece)
          MPI_Irecv(in.data() + at, int(std::min(piece, in.size() - at)), MPI_BYTE, int(*from), 0, MPI_COMM_WORLD,
                    &requests_.emplace_back());
      if (to)
        for (size_t at = 0; at < out.size(); at += piece)
          MPI_Isend(out.data() + at, int(std::min(piece, out.size() - at)), MPI_BYTE, int(*to), 0, MPI_COMM_WORLD,
                    &requests_.emplace_back());
    }
    wait(requests_, int(from ? *from : *to));
  }

  // Gives the core away while nothing happens: there may be more ranks than cores.
  void wait(std::span<MPI_Request> requests, int other) {
    for (size_t tries = 0;; ++tries) {
      int done = 0, error = MPI_SUCCESS;
      {
        const std::lock_guard lock(mutex_);
        error = MPI_Testall(int(requests.size()), requests.data(), &done, MPI_STATUSES_IGNORE);
      }
      if (error != MPI_SUCCESS) end_all(other, "cannot be reached");
      if (done) return;
      if (tries < 4000)
        std::this_thread::yield();
      else
        std::this_thread::sleep_for(100us);
    }
  }

  void exchange_names() {
    char host[64] = {}, mine[name_length] = {};
    ::gethostname(host, sizeof(host) - 1);
    fmt::format_to_n(mine, name_length - 1, "process {} on {}", ::getpid(), host);
    names_.resize(size_t(size_) * name_length);
    MPI_Allgather(mine, name_length, MPI_CHAR, names_.data(), name_length, MPI_CHAR, MPI_COMM_WORLD);
  }

  // Rank 0 tells all others, and they tell rank 0, that they are alive.
  void watch(const std::stop_token& stop) {
    std::vector<Clock::time_point> seen(size_t(size_), Clock::now());
    auto before = Clock::now();
    while (!stop.stop_requested()) {
      const auto now = Clock::now();
      // Who was stopped itself has heard of nobody.
      if (now - before > 8 * beat) std::ranges::fill(seen, now);
      before = now;
      {
        const std::lock_guard lock(mutex_);
        for (int other = rank_ == 0 ? 1 : 0; other < (rank_ == 0 ? size_ : 1); ++other) {
          MPI_Request sent;
          MPI_Isend(&alive_, 1, MPI_CHAR, other, 0, beats_, &sent);
          MPI_Request_free(&sent);
        }
        for (;;) {
          int there = 0;
          char ignored;
          MPI_Status status;
          MPI_Iprobe(MPI_ANY_SOURCE, 0, beats_, &there, &status);
          if (!there) break;
          MPI_Recv(&ignored, 1, MPI_CHAR, status.MPI_SOURCE, 0, beats_, MPI_STATUS_IGNORE);
          seen[size_t(status.MPI_SOURCE)] = now;
        }
      }
      for (int other = rank_ == 0 ? 1 : 0; other < (rank_ == 0 ? size_ : 1); ++other)
        // One line is enough: when it is rank 0 that is lost, the others wait for rank 1 to say it.
        if (now - seen[size_t(other)] > silence_ + std::max(0, rank_ - 1) * 2s)
          end_all(other, fmt::format("has not answered for {:.3g} s", std::chrono::duration<double>(silence_).count()));
      std::this_thread::sleep_for(beat);
    }
  }

  // Whoever comes first says it; mpirun ends the others when one ends so.
  [[noreturn]] void end_all(int lost, const std::string& what) {
    if (!ending_.exchange(true)) {
      const std::string name =
          lost < 0 ? "another rank" : fmt::format("rank {} ({})", lost, names_.data() + size_t(lost) * name_length);
      const std::string line = fmt::format("cria: {} {}: all ranks stop, and the last checkpoint stands\n", name, what);
      std::fputs(line.c_str(), stderr);
      std::fflush(stderr);
      std::_Exit(3);
    }
    for (;;) std::this_thread::sleep_for(1s);
  }

  const Clock::duration silence_;
  int rank_ = 0, size_ = 1;
  MPI_Comm beats_ = MPI_COMM_NULL;
  const char alive_ = 1;
  std::vector<char> names_;
  std::vector<MPI_Request> requests_;
  std::mutex mutex_;  // around all calls of MPI
  std::atomic<bool> ending_{false};
  std::jthread watch_;
};

}  // namespace

std::unique_ptr<Communicator> join_mpi() { return std::make_unique<MpiCommunicator>(); }

}  // namespace cria
