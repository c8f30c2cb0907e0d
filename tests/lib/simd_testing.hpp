// What the tests of the primitives share: memory with guard zones, the targets one after the other, errors held to
// bounds.
#pragma once

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "lib/simd/primitives.hpp"
#include "tests/testing.hpp"

namespace cria::testing {

using wide = std::conditional_t<std::is_same_v<real, float>, double, long double>;
inline constexpr wide eps = std::numeric_limits<real>::epsilon();
inline constexpr real infinity = std::numeric_limits<real>::infinity(),
                      not_a_number = std::numeric_limits<real>::quiet_NaN();

/// Numbers between guard zones, from an odd place on. The guards show whether anything outside was written.
class Guarded {
 public:
  Guarded(size_t size, std::uint64_t seed, double scale = 1) : size_(size), memory_(size + 2 * zone, guard) {
    Random random(seed);
    for (real& x : *this) x = static_cast<real>(scale * random.normal());
  }
  real* data() { return memory_.data() + zone; }
  real* begin() { return data(); }
  real* end() { return data() + size_; }
  real operator[](size_t i) const { return memory_[zone + i]; }
  real& operator[](size_t i) { return memory_[zone + i]; }

  bool intact() const {
    for (size_t i = 0; i < zone; ++i)
      if (memory_[i] != guard || memory_[zone + size_ + i] != guard) return false;
    return true;
  }

 private:
  static constexpr size_t zone = 67;
  static constexpr real guard = real(-12345.5);
  size_t size_;
  std::vector<real> memory_;
};

/// What the system says of an x86 CPU, whatever the dispatch believes.
inline bool cpu_has(std::initializer_list<const char*> names) {
  std::ifstream cpu("/proc/cpuinfo");
  std::string line;
  while (std::getline(cpu, line) && !line.starts_with("flags")) {
  }
  std::istringstream words(line);
  const std::set<std::string> flags{std::istream_iterator<std::string>(words), {}};
  return std::all_of(names.begin(), names.end(), [&](const char* name) { return flags.contains(name); });
}

/// The targets that must run on this machine.
inline std::vector<std::string> expected_targets() {
#if defined(__aarch64__)
  return {"portable", "neon"};
#else
  std::vector<std::string> targets = {"portable"};
  if (cpu_has({"avx2", "fma", "f16c"})) targets.push_back("avx2");
  if (cpu_has({"avx512f", "avx512cd", "avx512dq", "avx512bw", "avx512vl"})) targets.push_back("avx512");
  return targets;
#endif
}

/// Runs the body once with each target active; fails when that was not every target that this machine has.
template <class Body>
void on_every_target(Body body) {
  const std::string before = simd::active().target;
  std::vector<std::string> ran;
  for (std::string_view target : simd::available_targets()) {
    simd::select_target(target);
    INFO("on " << target);
    REQUIRE(simd::active().target == target);
    body();
    ran.push_back(simd::active().target);
  }
  simd::select_target(before);
  REQUIRE(ran == expected_targets());
}

inline std::vector<size_t> sizes() {
  std::vector<size_t> all = {127, 200, 255, 257, 1000, 4099};
  for (size_t n = 0; n <= 70; ++n) all.push_back(n);
  return all;
}

/// The largest error seen, as a multiple of the bound it was held to.
struct Worst {
  wide ratio = 0;
  void see(wide actual, wide expected, wide bound) {
    // The smallest normal number allows for results that underflow. NaN, once seen, stays.
    const wide here = std::abs(actual - expected) / (bound + std::numeric_limits<real>::min());
    if (!(here <= ratio)) ratio = here;
  }
};

}  // namespace cria::testing
