// How to wait is what decides whether a team keeps its speed when other work takes a core.
#include "lib/base/signal.hpp"

#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <algorithm>
#include <chrono>

namespace cria {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds, std::chrono::milliseconds;

// Threads of a team have equal shares and come to a barrier at about the same time, so a thread spins first: to be
// woken from sleep takes longer than most waits last. It spins for a quarter of the time since its last wait, within
// bounds; the lower one leaves time to sample a token.
constexpr Clock::duration shortest_spin = microseconds(100), longest_spin = milliseconds(1);

// Who spins for so long in vain waits for a thread that does not run: other work has taken a core, and threads of the
// team may even share the one that is left, where spinning only keeps away the thread that is waited for. After a few
// such spins in a row the cores count as crowded for a while, and everybody sleeps at once.
constexpr int most_in_vain = 16;
constexpr Clock::duration crowded_time = milliseconds(200);
std::atomic<Clock::rep> crowded_until{0};

bool crowded_at(Clock::time_point now) { return now.time_since_epoch().count() < crowded_until.load(); }

}  // namespace

bool Signal::crowded() { return crowded_at(Clock::now()); }

void Signal::wait_while(std::uint32_t old) {
  thread_local Clock::time_point last_wait;
  thread_local int in_vain = 0;  // in a row
  if (load() != old) return;
  const Clock::time_point start = Clock::now();
  const Clock::duration spin = std::clamp((start - last_wait) / 4, shortest_spin, longest_spin);
  last_wait = start;
  if (!crowded_at(start)) {
    do {
      for (int i = 0; i < 100; ++i) {
        if (load() != old) {
          in_vain = 0;
          return;
        }
      }
    } while (Clock::now() < start + spin);
    if (++in_vain == most_in_vain) {
      in_vain = 0;
      crowded_until.store((start + crowded_time).time_since_epoch().count());
    }
  }
  sleep_while(old);
}

// Not std::atomic's wait and notify: libstdc++ yields before it sleeps, and where another process shares the core, a
// thread that yields comes back only when that one has used up its slice, milliseconds later.
#ifdef __linux__

// No change is missed: the sleeper counts itself and then looks at the number, last of all in the kernel, while the
// waker changes the number and then looks at the count; all four are in one order, so at least one sees the other.
void Signal::sleep_while(std::uint32_t old) {
  sleepers_.fetch_add(1);
  while (value_.load() == old) ::syscall(SYS_futex, &value_, FUTEX_WAIT_PRIVATE, old, nullptr, nullptr, 0);
  sleepers_.fetch_sub(1);
}

void Signal::wake() {
  constexpr int all = 1 << 30;
  if (sleepers_.load() > 0) ::syscall(SYS_futex, &value_, FUTEX_WAKE_PRIVATE, all, nullptr, nullptr, 0);
}

#else

void Signal::sleep_while(std::uint32_t old) { value_.wait(old, std::memory_order_acquire); }
void Signal::wake() { value_.notify_all(); }

#endif

}  // namespace cria
