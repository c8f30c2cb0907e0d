// Memory for packed operands. Each thread keeps one piece, made at first use and grown when a larger one is asked for
// (matrix products ask for a few MiB at most), so that products allocate nothing once they have been called.
#pragma once

#include <cstddef>

namespace cria::simd {

/// At least `bytes` of this thread's memory, aligned to 64. Valid until the next call; contents are lost.
void* workspace(std::size_t bytes);

}  // namespace cria::simd
