// A Llama of bytes whose random weights are large enough for its answers to differ.
#pragma once

#include "chapters/08-llama/parameters.hpp"
#include "lib/base/random.hpp"

namespace cria::testing {

inline LlamaParameters talkative() {
  LlamaConfig c;
  c.vocabulary_size = 258, c.dim = 32, c.hidden_dim = 48, c.layers = 2, c.heads = 4, c.kv_heads = 2, c.head_dim = 8;
  c.context = 64;
  LlamaParameters weights(c);
  Random random(3);
  for (real& value : weights.flat()) value = real(0.15 * random.normal());
  return weights;
}

}  // namespace cria::testing
