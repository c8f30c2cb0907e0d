// RoPE, the rotary position embedding: turns pairs of a head's channels by angles that grow with the position, so that
// a query's product with a key depends on how far apart they are.
//
// Leaves out the scalings that depend on the length of the text at hand (dynamic NTK) or change attention too (YaRN).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lib/base/real.hpp"
#include "lib/base/view.hpp"

namespace cria {

/// Which two channels of a head form pair i, i = 0 … D/2 - 1. Models differ; a wrong choice runs and gives nonsense.
enum class RopePairing {
  half_split,   ///< (i, i + D/2): Hugging Face's files
  interleaved,  ///< (2i, 2i + 1): the paper, Meta's files, llama2.c and GGUF
};

/// Cosine and sine of every angle, made once for the positions of a pass and shared by all layers, queries and keys.
/// The caller owns the memory.
struct RopeAngles {
  View<real, 2> cosine;  // (N, D/2)
  View<real, 2> sine;    // (N, D/2)
};

/// frequencies[i] = theta^(-2i/D) in radians per position (Su et al. 2021, arXiv:2104.09864, section 3.2.2), for
/// D = 2 * frequencies.size(). Llama and Llama 2 have theta 10000, Llama 3 has 500000.
void rope_inverse_frequencies(double theta, std::span<double> frequencies /*(D/2)*/);

/// How a model reads texts longer than those that it was first trained on: by lower frequencies.
struct RopeScaling {
  enum class Kind {
    none,
    linear,    ///< all divided by `factor` (Chen et al. 2023, arXiv:2306.15595)
    llama3,    ///< Llama 3.1: low ones divided by `factor`, high ones kept, a blend between
    divisors,  ///< each divided by a number of its own, as GGUF stores what llama3 comes to
  };
  Kind kind = Kind::none;
  double factor = 1;
  /// llama3: a frequency is kept that turns more than `high_turns` times within `original_context` positions, and
  /// divided by `factor` when it turns less than `low_turns` times.
  double low_turns = 1, high_turns = 4, original_context = 8192;
  std::vector<float> divisors = {};  // (D/2)

  bool operator==(const RopeScaling&) const = default;
};

/// Scales frequencies that rope_inverse_frequencies has made. Throws ContractError when there are divisors for another
/// number of them.
void rope_scale_frequencies(const RopeScaling& scaling, std::span<double> frequencies /*(D/2)*/);

/// The angles positions[n] * frequencies[i]. Positions need not start at 0 nor follow each other. Angles are formed in
/// double: at position 100000 a float angle is wrong by 0.004.
void rope_angles(std::span<const std::int32_t> positions /*(N)*/, std::span<const double> frequencies /*(D/2)*/,
                 RopeAngles angles /*(N, D/2)*/);

/// Turns every pair (a, b) of row n in place into (a cos - b sin, a sin + b cos). Works on queries and keys alike; the
/// first axis may be strided. Throws ContractError when shapes do not fit or D is odd.
void rope_forward(View<real, 3> x /*(N, H, D)*/, RopeAngles angles /*(N, D/2)*/, RopePairing pairing);

/// Turns the gradient in place by the opposite angles: from that of the output to that of the input. The one exception
/// to "gradients accumulate", as forward is in place as well.
void rope_backward(View<real, 3> d_x /*(N, H, D)*/, RopeAngles angles /*(N, D/2)*/, RopePairing pairing);

/// Reorders the rows of a query or key projection, so that weights made for one pairing give the same model with the
/// other: Meta's files become Hugging Face's and back. `from` is made for `from_pairing`, `to` for the other; they do
/// not overlap.
void rope_permute_rows(View<const real, 2> from /*(H*D, C)*/, size_t head_dim, RopePairing from_pairing,
                       View<real, 2> to /*(H*D, C)*/);

}  // namespace cria
