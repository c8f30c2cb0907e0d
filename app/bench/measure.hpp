// What a benchmark is, and how all of them are measured.
//
// The cases of a section take turns: each round times every case once, so what disturbs the machine for a while hits
// all of them alike, and ratios stay right. The limits that they are held against are timed right before and after
// them. A limit is the best of its times: what the machine was seen to give, whatever its clock did.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/base/arena.hpp"
#include "lib/base/random.hpp"
#include "lib/base/real.hpp"

namespace cria::bench {

inline constexpr const char* real_type = sizeof(real) == sizeof(float) ? "f32" : "f64";

/// The least that a run has to do, from which follows the time that it would take at the machine's limits: that of the
/// arithmetic or that of the memory, whichever is longer (the roofline of Williams, Waterman & Patterson 2009).
struct Work {
  double operations = 0;  // on floating-point numbers: a multiply-add counts as two
  double bytes = 0;       // read and written
  size_t footprint = 0;   // bytes of the memory that every run goes over; tells which cache can hold it
  double codes = 0;       // operations on whole numbers of 8 bits: of products with weights in blocks
};

/// What an exponential counts as: nine multiply-adds (lib/simd/exp.hpp), and scaling by the power of two.
inline constexpr double exponential_operations = 20;

struct Case {
  using Run = std::function<void()>;

  std::string name, shape = {}, type = real_type, target = {};
  size_t threads = 1;
  std::string unit = {};              // a rate ("tokens/s"), or with `is_cost` a time ("s", "us/token")
  double amount = 0;                  // of it in a run: value = amount / seconds, or seconds / amount
  Work work = {};                     // empty: there is no limit to hold it against
  std::function<Run()> prepare = {};  // makes the memory that the returned run needs
  bool is_cost = false;
  bool on_request = false;               // only where --only names its shape
  std::chrono::milliseconds pause = {};  // after each turn, until another library's threads have gone to sleep
};

struct Result {
  std::string name, shape, type, target;
  size_t threads;
  double value;  // the median of the repeats
  std::string unit;
  std::optional<double> limit;  // the value at the machine's limit, the best that was seen around the repeats
  std::string limited_by;       // which limit that is: "fma", "int8", "L1", "memory" …
  double spread;                // (third quartile - first quartile) / median of the repeats

  /// How near the limit: 1 is at it.
  std::optional<double> fraction;
};

/// Called before each turn with the case at hand and the share of the work done.
using Progress = std::function<void(const Case&, double share)>;

class Machine;

/// Times the cases in turns, `repeats` rounds. A turn lasts at least 20 ms: what is shorter runs several times in it.
/// Cases on one thread are timed by the process's own clock, so another process on the machine disturbs them less.
std::vector<Result> measure(std::span<const Case> cases, const Machine& machine, size_t repeats,
                            const Progress& progress);

/// The value of a limit alone: the best of some turns, within about a second.
double measure_limit(const Case& limit);

/// Seconds that a call takes.
template <class Call>
double seconds(Call&& call) {
  const auto begin = std::chrono::steady_clock::now();
  call();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Numbers between -scale and scale that a case's run keeps alive. Arrays begin at different places of their pages:
/// where they do not, a core takes a load for one of what a store a moment ago has written, 4096 bytes further, and
/// waits for it.
class RandomNumbers {
 public:
  explicit RandomNumbers(size_t count, double scale = 1) {
    static size_t serial = 0;
    const size_t shift = ++serial % 8 * 144;
    memory_ = std::make_shared<Arena<real>>(shift + count);
    memory_->take(Shape<1>{shift});
    numbers_ = memory_->take(Shape<1>{count}).span();
    Random random(count);
    for (real& x : numbers_) x = static_cast<real>(scale * (2 * random.uniform() - 1));
  }
  real* data() const { return numbers_.data(); }
  std::span<real> span() const { return numbers_; }
  template <size_t N>
  View<real, N> view(Shape<N> shape) const {
    return {data(), shape};
  }

 private:
  std::shared_ptr<Arena<real>> memory_;
  std::span<real> numbers_;
};

/// Holds a result of a run, so that the compiler cannot leave out what computes it.
inline void keep(double value) {
  [[maybe_unused]] thread_local volatile double kept;
  kept = value;
}

}  // namespace cria::bench
