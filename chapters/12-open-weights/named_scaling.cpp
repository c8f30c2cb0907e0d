#include "chapters/12-open-weights/named_scaling.hpp"

#include <algorithm>
#include <cmath>

#include "chapters/12-open-weights/rope_divisors.hpp"
#include "lib/base/check.hpp"

namespace cria {

RopeScaling named_scaling(const LlamaConfig& config) {
  const std::vector<float>& divisors = config.rope_scaling.divisors;
  if (config.rope_scaling.kind != RopeScaling::Kind::divisors) return config.rope_scaling;
  const auto same = [](double a, double b) { return std::abs(a - b) <= 1e-6 * b; };  // a few roundings of a float
  LlamaConfig named = config;
  for (double original = 64; original <= 1 << 20; original *= 2) {
    named.rope_scaling = {
        .kind = RopeScaling::Kind::llama3, .factor = std::ranges::max(divisors), .original_context = original};
    if (std::ranges::equal(rope_divisors(named), divisors, same)) return named.rope_scaling;
  }
  throw UserError(
      "RoPE's frequencies have divisors that are not those of Llama 3.1's scaling, which has no other name");
}

}  // namespace cria
