// The kernels for x86-64 with AVX-512 F, DQ, BW and VL (2017 and later): 32 registers of 16 floats.
#include "lib/simd/table.hpp"

namespace cria::simd::avx512 {

const Primitives& primitives() {
  static constexpr Primitives table = kernels::table<xsimd::avx512bw>("avx512");
  return table;
}

}  // namespace cria::simd::avx512
