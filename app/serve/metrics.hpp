// Metrics: what the server counts, in Prometheus' text form (version 0.0.4).
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "chapters/22-serving/engine.hpp"

namespace cria::serve {

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin_ = Clock::now();
};

/// How often a time was at most so long.
class Histogram {
 public:
  void add(double seconds);
  /// Appends its lines.
  void write(std::string& out, std::string_view name, std::string_view help) const;

 private:
  static constexpr std::array<double, 16> bounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                 0.5,   1,      2.5,   5,    10,    25,   50,  100};
  std::array<std::uint64_t, bounds.size() + 1> counts_{};  // of each bucket alone; the last one has no bound
  std::uint64_t count_ = 0;
  double sum_ = 0;
};

/// Used by all threads.
class Metrics {
 public:
  /// `path` is one of those that there are, as everything that clients make up would be kept.
  void count_request(std::string_view path, int status);
  void count_text(size_t prompt_tokens, size_t tokens, double seconds);
  void count_cancelled();
  void time_to_first_token(double seconds);
  void time_per_token(double seconds);

  std::string text(const EngineFigures& engine) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, std::uint64_t> requests_;
  std::uint64_t prompt_tokens_ = 0, tokens_ = 0, texts_ = 0, cancelled_ = 0;
  Histogram first_token_, per_token_, whole_;
};

}  // namespace cria::serve
