#include "lib/base/interrupt.hpp"

#include <csignal>
#include <cstddef>

namespace cria {
namespace {

constexpr int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};

std::atomic<bool> stop_requested = false;
static_assert(std::atomic<bool>::is_always_lock_free);  // or a signal handler may not touch it

void request_stop(int signal) {
  stop_requested = true;
  if (signal != SIGHUP) std::signal(signal, SIG_DFL);
}

}  // namespace

StopSignals::StopSignals(Which which) : count_(which == Which::interrupt ? 1 : before_.size()) {
  stop_requested = false;
  for (std::size_t i = 0; i < count_; ++i) {
    before_[i] = std::signal(signals[i], signals[i] == SIGPIPE ? SIG_IGN : request_stop);
    if (before_[i] == SIG_IGN) std::signal(signals[i], SIG_IGN);
  }
}

StopSignals::~StopSignals() {
  for (std::size_t i = 0; i < count_; ++i) std::signal(signals[i], before_[i]);
}

const std::atomic<bool>& StopSignals::requested() const { return stop_requested; }

}  // namespace cria
