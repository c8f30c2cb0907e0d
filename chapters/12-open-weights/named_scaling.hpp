// The way back from divisors of RoPE's frequencies, as GGUF has them, to a scaling that config.json and recipes can
// name.
#pragma once

#include "chapters/08-llama/config.hpp"

namespace cria {

/// The model's scaling; of divisors the scaling "llama3" that gives them, up to their rounding to floats. Tried are
/// those that keep what turns more than 4 times in the original context and stretch what turns less than once, as all
/// of Meta's, with a power of two from 64 to 2^20 for that context. Throws UserError when it is none of these.
RopeScaling named_scaling(const LlamaConfig& config);

}  // namespace cria
