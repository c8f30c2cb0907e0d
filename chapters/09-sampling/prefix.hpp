// A prefix of the tokens in descending order of probability, found without sorting them.
#pragma once

#include <cstddef>
#include <span>

#include "lib/base/real.hpp"

namespace cria {

/// The first `count` tokens of the order, their probabilities together, and the last of them. Of equally probable
/// tokens the one that stands before the other comes first.
struct Prefix {
  std::size_t count = 0;
  double mass = 0;
  std::size_t last = 0;  // its index
  real last_probability = 0;

  bool contains(std::size_t index, real probability) const {
    return (probability > last_probability) | ((probability == last_probability) & (index <= last));  // as SIMD code
  }
};

/// The shortest prefix of at least one token that has this many or this mass, whichever comes first; if neither is
/// reached, all tokens of a probability above 0, of which there must be one.
Prefix shortest_prefix(std::span<const real> probabilities, std::size_t count, double mass);

}  // namespace cria
