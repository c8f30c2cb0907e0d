// Signal: a number that some threads change and others wait for.
#pragma once

#include <atomic>
#include <cstdint>

namespace cria {

class Signal {
 public:
  std::uint32_t load() const { return value_.load(std::memory_order_acquire); }
  void store(std::uint32_t value) { value_.store(value, std::memory_order_release); }
  /// Both return what the number was before. What a thread wrote before it, those can read who see the new number.
  std::uint32_t add(std::uint32_t n) { return value_.fetch_add(n); }
  std::uint32_t subtract(std::uint32_t n) { return value_.fetch_sub(n); }

  /// Returns as soon as the number is another than `old`. Whoever changes it has to call `wake` afterwards.
  void wait_while(std::uint32_t old);
  void wake();

  /// Whether threads have lately waited in vain for others to run, as they do where other work has taken a core.
  static bool crowded();

 private:
  void sleep_while(std::uint32_t old);

  std::atomic<std::uint32_t> value_{0};
  std::atomic<std::uint32_t> sleepers_{0};  // nobody asleep: waking costs no system call
};

}  // namespace cria
