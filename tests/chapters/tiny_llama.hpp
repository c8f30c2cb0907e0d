// A Llama of odd sizes, small enough to train in a test.
#pragma once

#include "chapters/08-llama/config.hpp"

namespace cria::testing {

inline LlamaConfig tiny() {
  LlamaConfig c;
  c.vocabulary_size = 19, c.dim = 11, c.hidden_dim = 13, c.layers = 2, c.heads = 6, c.kv_heads = 3, c.head_dim = 4;
  c.tied_embeddings = false;
  return c;
}

}  // namespace cria::testing
