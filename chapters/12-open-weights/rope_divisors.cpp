// Chapter 12, divisors of RoPE's frequencies.
#include "chapters/12-open-weights/rope_divisors.hpp"

namespace cria {

std::vector<real> rope_divisors(const LlamaConfig& config) {
  const RopeScaling& scaling = config.rope_scaling;
  if (scaling.kind == RopeScaling::Kind::divisors) return {scaling.divisors.begin(), scaling.divisors.end()};
  if (scaling.kind != RopeScaling::Kind::llama3) return {};
  std::vector<real> divisors;
  // solution: rope_divisors
  std::vector<double> plain(config.head_dim / 2);
  rope_inverse_frequencies(config.rope_theta, plain);
  std::vector<double> scaled = plain;
  rope_scale_frequencies(scaling, scaled);
  for (size_t i = 0; i < plain.size(); ++i) divisors.push_back(real(plain[i] / scaled[i]));
  // end of solution
  return divisors;
}

}  // namespace cria
