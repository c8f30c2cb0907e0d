// Finds where the descending order is cut by bisection: the tokens above a threshold are a prefix, and the lower the
// threshold, the longer it is. A pass over 32000 probabilities is SIMD code of a microsecond or two, and about 20 are
// enough however flat the distribution, while sorting it takes more than a millisecond.
#include "chapters/09-sampling/prefix.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <type_traits>

namespace cria {
namespace {

// Positive floating-point numbers are ordered as their bits are, so dividing a range of bits reaches any of them.
using Bits = std::conditional_t<sizeof(real) == 4, std::uint32_t, std::uint64_t>;

// The tokens from a threshold on.
Prefix tokens_from(std::span<const real> probabilities, Bits threshold) {
  const real least = std::bit_cast<real>(threshold);
  const size_t strip = probabilities.size() / 4;
  const auto part = [=](size_t k) { return probabilities.subspan(k * strip, strip); };
  const auto p0 = part(0), p1 = part(1), p2 = part(2), p3 = part(3);
  // A loop, as one pass forms mass and count; four strips at once, as one sum would have to wait for each addition.
  real mass0 = 0, mass1 = 0, mass2 = 0, mass3 = 0;
  std::int32_t count = 0;
#pragma omp simd reduction(+ : mass0, mass1, mass2, mass3, count)
  for (size_t i = 0; i < strip; ++i) {
    mass0 += p0[i] >= least ? p0[i] : real(0);
    mass1 += p1[i] >= least ? p1[i] : real(0);
    mass2 += p2[i] >= least ? p2[i] : real(0);
    mass3 += p3[i] >= least ? p3[i] : real(0);
    count += (p0[i] >= least) + (p1[i] >= least) + (p2[i] >= least) + (p3[i] >= least);
  }
  Prefix prefix{.count = static_cast<size_t>(count), .mass = static_cast<double>(mass0 + mass1 + mass2 + mass3)};
  for (const real p : probabilities.subspan(4 * strip))
    if (p >= least) prefix.count += 1, prefix.mass += p;
  return prefix;
}

}  // namespace

Prefix shortest_prefix(std::span<const real> probabilities, size_t count, double mass) {
  // The tokens from `low` on suffice, those from `high` on do not.
  Bits low = 1, high = std::bit_cast<Bits>(real(2));
  Prefix from_low = tokens_from(probabilities, low), prefix;
  count = std::min(count, from_low.count);
  const auto suffices = [=](const Prefix& tokens) {
    return tokens.count >= count || (tokens.count > 0 && tokens.mass >= mass);  // a coin may be 0
  };
  while (high - low > 1 && from_low.count - prefix.count > 1) {
    const Bits middle = low + (high - low) / 2;
    const Prefix from_middle = tokens_from(probabilities, middle);
    if (suffices(from_middle))
      low = middle, from_low = from_middle;
    else
      high = middle, prefix = from_middle;
  }
  // What lies between is one token, or several that are equally probable.
  for (size_t i = 0; i < probabilities.size(); ++i) {
    const Bits above_low = std::bit_cast<Bits>(probabilities[i]) - low;  // below low it wraps around to a large number
    if (above_low >= high - low) continue;
    prefix.count += 1;
    prefix.mass += probabilities[i];
    prefix.last_probability = probabilities[i];
    prefix.last = i;
    if (suffices(prefix)) break;
  }
  return prefix;
}

}  // namespace cria
