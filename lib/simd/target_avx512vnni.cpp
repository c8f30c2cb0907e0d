// Packed weights for CPUs with AVX-512 VNNI (2019 and later); all else is as in target_avx512.cpp.
#include "lib/simd/packed_tile.hpp"
#include "lib/simd/packed_vnni.hpp"

namespace cria::simd::avx512vnni {

PackedKernels packed_kernels() { return kernels::packed_kernels<kernels::Vnni, real>(); }

}  // namespace cria::simd::avx512vnni
