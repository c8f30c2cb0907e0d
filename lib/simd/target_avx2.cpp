// The kernels for x86-64 with AVX2 and FMA (2013 and later): 16 registers of 8 floats.
#include "lib/simd/limit_kernels.hpp"
#include "lib/simd/packed_avx2.hpp"
#include "lib/simd/packed_tile.hpp"
#include "lib/simd/table.hpp"

namespace cria::simd::avx2 {

const Primitives& primitives() {
  static const Primitives table =
      kernels::table<xsimd::fma3<xsimd::avx2>>("avx2", kernels::packed_kernels<kernels::Avx2, real>());
  return table;
}

const LimitLoops& limit_loops() {
  static constexpr LimitLoops loops = kernels::limit_loops<xsimd::fma3<xsimd::avx2>>();
  return loops;
}

}  // namespace cria::simd::avx2
