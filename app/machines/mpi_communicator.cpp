// The ranks that mpirun started. MPI is only asked for transfers that do not wait, so that one thread can see whether
// the others are alive while another one computes or waits. Threads call it in turn, under a mutex, so
// MPI_THREAD_SERIALIZED is enough: who watches, and who sends, which is the thread of a sum while backward is at work.
#include "app/machines/mpi_communicator.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "lib/base/check.hpp"
#include "lib/base/view.hpp"

#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>

namespace cria {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto beat = 250ms;
constexpr char alive = 1, ending = 2;      // what a beat says; the second: a line has been printed already
constexpr auto farewell = 5s;              // after which who was told that all end does so by itself
constexpr size_t piece = size_t{1} << 30;  // MPI counts in int

// After how long a rank that says nothing counts as lost. It says so whatever it computes.
Clock::duration silence() {
  const char* text = std::getenv("CRIA_SILENCE");
  char* end = nullptr;
  const double seconds = text ? std::strtod(text, &end) : 15;
  if (!(seconds >= 1 && seconds <= 86400) || (end && (*end != 0 || end == text)))
    throw UserError(fmt::format("CRIA_SILENCE is {}, expected 1 to 86400 seconds", text));
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

// Of a rank, for messages.
struct Name {
  pid_t process;
  char host[64];
  bool is_here = false;  // and can be asked after
};

class MpiCommunicator : public Communicator {
 public:
  explicit MpiCommunicator(const std::string& remark) : remark_(remark), silence_(silence()) {
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
    if (provided < MPI_THREAD_SERIALIZED) throw UserError("this MPI cannot be asked by two threads in turn");
    watch_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
  }

  ~MpiCommunicator() override {
    MPI_Request all_here;
    {
      const std::lock_guard lock(mutex_);
      MPI_Ibarrier(MPI_COMM_WORLD, &all_here);
    }
    wait({&all_here, 1}, rank_ == 0 ? size_ - 1 : 0);
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
    int error = MPI_SUCCESS;
    const auto next = [&] { return &requests_.emplace_back(MPI_REQUEST_NULL); };
    {
      const std::lock_guard lock(mutex_);
      if (from)
        for (size_t at = 0; at < in.size(); at += piece)
          error |= MPI_Irecv(in.data() + at, int(std::min(piece, in.size() - at)), MPI_BYTE, int(*from), 0,
                             MPI_COMM_WORLD, next());
      if (to)
        for (size_t at = 0; at < out.size(); at += piece)
          error |= MPI_Isend(out.data() + at, int(std::min(piece, out.size() - at)), MPI_BYTE, int(*to), 0,
                             MPI_COMM_WORLD, next());
    }
    if (error != MPI_SUCCESS) end_all(int(from ? *from : *to), "cannot be reached");
    wait(requests_, int(from ? *from : *to));
  }

  // Gives the core away while nothing happens, as there may be more ranks than cores; and sleeps only behind what a
  // step of a small model takes, as a message moves in pieces, each when both sides look.
  void wait(std::span<MPI_Request> requests, int other) {
    const auto patience = std::chrono::steady_clock::now() + 20ms;
    for (;;) {
      int done = 0, error = MPI_SUCCESS;
      {
        const std::lock_guard lock(mutex_);
        error = MPI_Testall(int(requests.size()), requests.data(), &done, MPI_STATUSES_IGNORE);
      }
      if (error != MPI_SUCCESS) end_all(other, "cannot be reached");
      if (done) return;
      if (std::chrono::steady_clock::now() < patience)
        std::this_thread::yield();
      else
        std::this_thread::sleep_for(100us);
    }
  }

  void exchange_names() {
    Name mine = {::getpid(), {}};
    ::gethostname(mine.host, sizeof(mine.host) - 1);
    names_.resize(size_t(size_));
    MPI_Allgather(&mine, sizeof(Name), MPI_BYTE, names_.data(), sizeof(Name), MPI_BYTE, MPI_COMM_WORLD);
    for (Name& name : names_) name.is_here = std::strcmp(name.host, mine.host) == 0 && ::kill(name.process, 0) == 0;
  }

  // A process of this machine that has ended, before the launcher ends the others.
  static bool has_gone(const Name& name) { return name.is_here && ::kill(name.process, 0) != 0 && errno == ESRCH; }

  // Under the mutex. It is on its way when the function returns: a byte needs no room at the other end.
  void say(int other, const char& what) {
    MPI_Request sent;
    MPI_Isend(&what, 1, MPI_CHAR, other, 0, beats_, &sent);
    MPI_Request_free(&sent);
  }

  // Rank 0 watches all others, and they watch rank 0.
  Range watched() const { return rank_ == 0 ? Range{1, size_t(size_)} : Range{0, 1}; }

  // Rank 0 tells all others, and they tell rank 0, that they are alive.
  void watch(const std::stop_token& stop) {
    std::vector<Clock::time_point> seen(size_t(size_), Clock::now());
    auto before = Clock::now();
    std::optional<Clock::time_point> told;  // that all end
    size_t gone = 0;
    while (!stop.stop_requested()) {
      const auto now = Clock::now();
      // Who was stopped itself has heard of nobody.
      if (now - before > 8 * beat) std::ranges::fill(seen, now);
      before = now;
      {
        const std::lock_guard lock(mutex_);
        for (size_t other = watched().begin; other < watched().end; ++other) say(int(other), alive);
        for (int misses = 0; misses < 2;) {  // a probe may only fetch what the next one finds
          int there = 0;
          char says;
          MPI_Status status;
          MPI_Iprobe(MPI_ANY_SOURCE, 0, beats_, &there, &status);
          if (!there) {
            ++misses;
            continue;
          }
          MPI_Recv(&says, 1, MPI_CHAR, status.MPI_SOURCE, 0, beats_, MPI_STATUS_IGNORE);
          seen[size_t(status.MPI_SOURCE)] = now;
          if (says == ending) ending_ = true, told = told.value_or(now);
        }
      }
      if (told && now - *told > farewell) std::_Exit(3);
      for (size_t other = watched().begin; other < watched().end; ++other) {
        // One line is enough: when it is rank 0 that is lost, the others wait for rank 1 to say it. And who has gone
        // may have said why, which arrives by the next beat.
        if (rank_ <= 1 && has_gone(names_[other]) && ++gone > 1) end_all(int(other), "has ended");
        if (now - seen[other] > silence_ + std::max(0, rank_ - 1) * 2s)
          end_all(int(other),
                  fmt::format("has not answered for {:.3g} s", std::chrono::duration<double>(silence_).count()));
      }
      std::this_thread::sleep_for(beat);
    }
  }

  // Whoever comes first says it. mpirun ends the others when one ends so; other launchers may not, so they end as well.
  [[noreturn]] void end_all(int lost, const std::string& what) {
    if (!ending_.exchange(true)) {
      const Name& name = names_[size_t(lost)];
      const std::string line = fmt::format("cria: rank {} (process {} on {}) {}: all ranks stop{}\n", lost,
                                           name.process, name.host, what, remark_);
      {
        const std::lock_guard lock(mutex_);
        for (int other = 0; other < size_; ++other)
          if (other != rank_) say(other, ending);  // the lost one too, which may go on
      }
      std::fputs(line.c_str(), stderr);
      std::fflush(stderr);
      std::_Exit(3);
    }
    std::this_thread::sleep_for(farewell);
    std::_Exit(3);
  }

  const std::string remark_;
  const Clock::duration silence_;
  int rank_ = 0, size_ = 1;
  MPI_Comm beats_ = MPI_COMM_NULL;
  std::vector<Name> names_;
  std::vector<MPI_Request> requests_;
  std::mutex mutex_;  // around all calls of MPI
  std::atomic<bool> ending_{false};
  std::jthread watch_;
};

}  // namespace

std::unique_ptr<Communicator> join_mpi(const std::string& remark) { return std::make_unique<MpiCommunicator>(remark); }

}  // namespace cria
