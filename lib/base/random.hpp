// Random numbers that are the same on every machine, with a state of eight bytes that a checkpoint can hold.
//
// The generator is xorshift64* (Marsaglia 2003; Vigna 2016, arXiv:1402.6246); llama2.c uses the same one, which lets
// us reproduce its published samples. The distributions are written out because those of <random> differ between
// standard libraries.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace cria {

class Random {
 public:
  /// Mixes the seed (splitmix64), so that neighbouring seeds give unrelated streams.
  explicit Random(std::uint64_t seed) {
    std::uint64_t z = seed + 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    state_ = z ^ (z >> 31);
    if (state_ == 0) state_ = 1;  // xorshift stays at zero for ever
  }
  /// Continues from a state that state() gave; it must not be zero.
  static Random from_state(std::uint64_t state) {
    Random random(0);
    random.state_ = state;
    return random;
  }
  std::uint64_t state() const { return state_; }

  std::uint32_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return static_cast<std::uint32_t>((state_ * 0x2545F4914F6CDD1Du) >> 32);
  }

  /// In [0, 1), in steps of 2^-24: exact in float as well.
  double uniform() { return (next() >> 8) * 0x1p-24; }

  /// In 0 … n - 1. Multiplying maps 2^32 values onto n, so the bias is below n / 2^32.
  std::uint32_t below(std::uint32_t n) {
    return static_cast<std::uint32_t>((static_cast<std::uint64_t>(next()) * n) >> 32);
  }

  /// Standard normal (Box and Muller 1958; the second value of the pair is not kept, so the state stays one number).
  double normal() {
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  std::uint64_t state_;
};

}  // namespace cria
