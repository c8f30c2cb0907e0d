// The published shapes that figures compare with.
#pragma once

#include <cstddef>
#include <string>

#include "chapters/06-kv-cache/kv_cache.hpp"

namespace cria::figure {

/// What the size of a cache depends on.
struct Preset {
  std::string name;
  std::size_t layers, heads, kv_heads, head_dim, context;
};

/// Touvron et al. 2023 (arXiv:2307.09288) and Grattafiori et al. 2024 (arXiv:2407.21783, table 3).
inline const Preset llama2_7b{"Llama 2 7B", 32, 32, 32, 128, 4096}, llama2_70b{"Llama 2 70B", 80, 64, 8, 128, 4096},
    llama3_8b{"Llama 3 8B", 32, 32, 8, 128, 8192};

/// Of one sequence, in numbers of 2 bytes as these models are run.
inline double cache_bytes(const Preset& model, std::size_t positions, std::size_t kv_heads) {
  return double(KvCache::bytes(model.layers, positions, kv_heads, model.head_dim, 1, CacheType::f16));
}

}  // namespace cria::figure
