// Rotations for the tests of chapter 04, with their angles and tolerances.
#pragma once

#include <numeric>

#include "chapters/04-rope/rope.hpp"
#include "tests/testing.hpp"

namespace cria::testing {

// In units of `real`'s rounding, relative to an array's largest entry. Measured over all tests here, float and double:
// at most 2.
inline constexpr double tolerance = 4 * epsilon;
// What the rounding of a frequency to double becomes in the angle of the farthest position here; only the double build
// is exact enough to see it (measured: 6.7e-14 between positions 100000 apart).
inline constexpr double angle_rounding = 131071 * 0x1p-52;

inline constexpr RopePairing half_split = RopePairing::half_split, interleaved = RopePairing::interleaved;

/// Angles that own their memory.
struct Angles {
  Array<real, 2> cosine, sine;

  Angles(const std::vector<std::int32_t>& positions, size_t head_dim, double theta) {
    std::vector<double> frequencies(head_dim / 2);
    rope_inverse_frequencies(theta, frequencies);
    cosine = sine = unwritten<2>({positions.size(), head_dim / 2});
    rope_angles(positions, frequencies, *this);
  }
  Angles(Array<real, 2> cosine_, Array<real, 2> sine_) : cosine(std::move(cosine_)), sine(std::move(sine_)) {}
  operator RopeAngles() { return {view(cosine), view(sine)}; }
};

inline Array<real, 3> turned(Array<real, 3> x, RopeAngles angles, RopePairing pairing) {
  rope_forward(view(x), angles, pairing);
  return x;
}

/// x (1, H, D) at one position.
inline Array<real, 3> at_position(const Array<real, 3>& x, std::int32_t position, RopePairing pairing,
                                  double theta = 10000) {
  return turned(x, Angles({position}, x.shape(2), theta), pairing);
}

inline double product(const Array<real, 3>& a, const Array<real, 3>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

/// weight (H*D, C) times x (C), as (1, H, D).
inline Array<real, 3> project(const Array<real, 2>& weight, const Array<real, 1>& x, size_t head_dim) {
  Array<real, 3> out(Shape<3>{1, weight.shape(0) / head_dim, head_dim});
  for (size_t row = 0; row < weight.shape(0); ++row)
    out.flat(row) = static_cast<real>(std::inner_product(x.begin(), x.end(), &weight(row, 0), 0.0));
  return out;
}

inline Array<real, 2> permuted(const Array<real, 2>& weight, size_t head_dim, RopePairing from) {
  Array<real, 2> out = unwritten<2>({weight.shape(0), weight.shape(1)});
  rope_permute_rows(view(weight), head_dim, from, view(out));
  return out;
}

}  // namespace cria::testing
