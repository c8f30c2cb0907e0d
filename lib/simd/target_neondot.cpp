// Packed weights for Arm CPUs with sdot; all else is as in target_neon.cpp.
#include "lib/simd/packed_neon.hpp"
#include "lib/simd/packed_tile.hpp"

namespace cria::simd::neondot {

PackedKernels packed_kernels() { return kernels::packed_kernels<kernels::NeonDot, real>(); }

}  // namespace cria::simd::neondot
