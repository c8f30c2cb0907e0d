// Grouped-query attention out of a model that has more key and value heads.
#pragma once

#include "chapters/08-llama/parameters.hpp"

namespace cria {

/// The same model with `kv_heads` key and value heads: each is the mean of those whose place it takes (Ainslie et al.
/// 2023, arXiv:2305.13245, section 2.1). It computes something else until it has been trained on. Throws UserError
/// unless the number divides that of the model.
LlamaParameters group_heads(const LlamaParameters& weights, size_t kv_heads);

}  // namespace cria
