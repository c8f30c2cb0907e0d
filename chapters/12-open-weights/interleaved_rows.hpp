// Query and key weights as Meta and GGUF store them: the rows of a head's pairs side by side.
#pragma once

#include <vector>

#include "chapters/04-rope/rope.hpp"

namespace cria {

/// Fills a query or key weight (H*Dh, C) of cria's layout: `read` writes it with pairs (2i, 2i + 1) into memory of its
/// size, and the rows are turned to (i, i + Dh/2).
template <class Read>
void read_interleaved(View<real, 2> weight, size_t head_dim, Read read) {
  std::vector<real> interleaved(weight.size());
  read(std::span<real>(interleaved));
  rope_permute_rows(View<const real, 2>(interleaved.data(), weight.shape()), head_dim, RopePairing::interleaved,
                    weight);
}

}  // namespace cria
