// Packed weights for CPUs with AVX-VNNI; all else is as in target_avx2.cpp.
#include "lib/simd/packed_avxvnni.hpp"
#include "lib/simd/packed_tile.hpp"

namespace cria::simd::avxvnni {

PackedKernels packed_kernels() { return kernels::packed_kernels<kernels::AvxVnni, real>(); }

}  // namespace cria::simd::avxvnni
