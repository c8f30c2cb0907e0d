// RoPE: angles, the rotation and its inverse, and the two layouts of projection weights.
//
// The pairs are loops over spans: interleaved ones lie two numbers apart, which an expression takes one by one, and
// both layouts should read alike. So are the angles: they are computed in double and stored as real, which no
// expression mixes.
#include "chapters/04-rope/rope.hpp"

#include <cmath>
#include <numbers>

#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

// Turns the D/2 pairs of one head by the angles; direction -1 turns back.
void rotate_half_split(std::span<real> x, std::span<const real> cosine, std::span<const real> sine, real direction) {
  const size_t pairs = cosine.size();
  // solution: rotate_half_split
  for (size_t i = 0; i < pairs; ++i) {
    const real a = x[i], b = x[i + pairs];
    const real c = cosine[i], s = direction * sine[i];
    x[i] = a * c - b * s;
    x[i + pairs] = a * s + b * c;
  }
  // end of solution
}

void rotate_interleaved(std::span<real> x, std::span<const real> cosine, std::span<const real> sine, real direction) {
  const size_t pairs = cosine.size();
  // solution: rotate_interleaved
  for (size_t i = 0; i < pairs; ++i) {
    const real a = x[2 * i], b = x[2 * i + 1];
    const real c = cosine[i], s = direction * sine[i];
    x[2 * i] = a * c - b * s;
    x[2 * i + 1] = a * s + b * c;
  }
  // end of solution
}

void rotate(View<real, 3> x, RopeAngles angles, RopePairing pairing, real direction) {
  const auto [N, H, D] = x.shape();
  const auto rotate_head = pairing == RopePairing::half_split ? rotate_half_split : rotate_interleaved;
  for (size_t n = 0; n < N; ++n) {
    const auto cosine = angles.cosine[n].span(), sine = angles.sine[n].span();
    for (size_t h = 0; h < H; ++h) rotate_head(x[n][h].span(), cosine, sine, direction);
  }
}

}  // namespace

void rope_inverse_frequencies(double theta, std::span<double> frequencies) {
  // solution: rope_inverse_frequencies
  const size_t pairs = frequencies.size();
  for (size_t i = 0; i < pairs; ++i) frequencies[i] = std::pow(theta, -double(i) / double(pairs));
  // end of solution
}

void rope_scale_frequencies(const RopeScaling& scaling, std::span<double> frequencies) {
  const bool has_divisors = scaling.kind == RopeScaling::Kind::divisors;
  require(!has_divisors || scaling.divisors.size() == frequencies.size(), "rope_scale_frequencies",
          "expected one divisor for each frequency");
  // example: rope_scale_frequencies
  for (size_t i = 0; i < frequencies.size(); ++i) {
    const double turns = scaling.original_context * frequencies[i] / (2 * std::numbers::pi);
    double kept = 0;  // 1: as it is, 0: divided
    if (scaling.kind == RopeScaling::Kind::llama3)
      kept = std::clamp((turns - scaling.low_turns) / (scaling.high_turns - scaling.low_turns), 0.0, 1.0);
    if (scaling.kind == RopeScaling::Kind::none) kept = 1;
    frequencies[i] *= has_divisors ? 1 / double(scaling.divisors[i]) : kept + (1 - kept) / scaling.factor;
  }
  // end of example
}

void rope_angles(std::span<const std::int32_t> positions, std::span<const double> frequencies, RopeAngles angles) {
  const Shape<2> shape = {positions.size(), frequencies.size()};
  require_shape("rope_angles: cosine", angles.cosine, shape);
  require_shape("rope_angles: sine", angles.sine, shape);
  // solution: rope_angles
  for (size_t n = 0; n < shape[0]; ++n)
    for (size_t i = 0; i < shape[1]; ++i) {
      const double angle = positions[n] * frequencies[i];
      angles.cosine(n, i) = real(std::cos(angle));
      angles.sine(n, i) = real(std::sin(angle));
    }
  // end of solution
}

void rope_forward(View<real, 3> x, RopeAngles angles, RopePairing pairing) {
  const auto [N, H, D] = x.shape();
  require(D % 2 == 0, "rope_forward", "head_dim must be even");
  require_shape("rope_forward: cosine", angles.cosine, {N, D / 2});
  require_shape("rope_forward: sine", angles.sine, {N, D / 2});
  rotate(x, angles, pairing, 1);
}

void rope_backward(View<real, 3> d_x, RopeAngles angles, RopePairing pairing) {
  const auto [N, H, D] = d_x.shape();
  require(D % 2 == 0, "rope_backward", "head_dim must be even");
  require_shape("rope_backward: cosine", angles.cosine, {N, D / 2});
  require_shape("rope_backward: sine", angles.sine, {N, D / 2});
  // solution: rope_backward
  // rotate(x, angles, pairing, 1): a rotation's transpose is the opposite rotation
  rotate(d_x, angles, pairing, -1);
  // end of solution
}

void rope_permute_rows(View<const real, 2> from, size_t head_dim, RopePairing from_pairing, View<real, 2> to) {
  require_shape("rope_permute_rows: to", to, from.shape());
  require(head_dim > 0 && head_dim % 2 == 0 && from.shape(0) % head_dim == 0, "rope_permute_rows",
          "the rows must be whole heads of an even width");
  // solution: rope_permute_rows
  const size_t heads = from.shape(0) / head_dim, pairs = head_dim / 2;
  for (size_t h = 0; h < heads; ++h)
    for (size_t i = 0; i < pairs; ++i)
      for (size_t part = 0; part < 2; ++part) {
        const size_t half_split = h * head_dim + part * pairs + i, interleaved = h * head_dim + 2 * i + part;
        const bool to_interleaved = from_pairing == RopePairing::half_split;
        const size_t source = to_interleaved ? half_split : interleaved;
        noalias(to[to_interleaved ? interleaved : half_split]) = from[source];
      }
  // end of solution
}

}  // namespace cria
