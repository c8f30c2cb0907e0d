// Memory for packed operands, and for what a component forms on its way. Each thread keeps one piece for each use, made
// when it is first asked for and grown when a larger one is (matrix products ask for a few MiB at most), so that
// products allocate nothing once they have been called.
#pragma once

#include <cstddef>

namespace cria::simd {

/// What it is for: a product may need several at once, and a component has one around its products.
enum class WorkspaceUse { packed_operands, widened_weights, quantised_activations, component };

/// At least `bytes` of this thread's memory, aligned to 64. Valid until the next call for the same use; contents are
/// lost.
void* workspace(std::size_t bytes, WorkspaceUse use = WorkspaceUse::packed_operands);

}  // namespace cria::simd
