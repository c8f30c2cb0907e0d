// How large a model's file is.
#pragma once

#include <cstddef>

#include "chapters/08-llama/config.hpp"
#include "lib/formats/element_type.hpp"

namespace cria {

/// Bytes of all weights when matrices are stored as `type`: in a GGUF file norms stay F32, and a matrix whose rows are
/// no whole number of blocks is F16.
size_t weight_bytes(const LlamaConfig& config, ElementType type);

/// Those of them that every token reads: all but the embedding, of which it needs one row, unless the head is that too.
size_t weight_bytes_read(const LlamaConfig& config, ElementType type);

}  // namespace cria
