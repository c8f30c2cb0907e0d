// What a GGUF file holds of a scaled RoPE.
#pragma once

#include <vector>

#include "chapters/08-llama/config.hpp"

namespace cria {

/// What each of RoPE's frequencies is divided by (Dh/2), the tensor "rope_freqs.weight"; none where the scaling is not
/// stored so: without one, and when all are divided by one factor, for which there is a key.
std::vector<real> rope_divisors(const LlamaConfig& config);

}  // namespace cria
