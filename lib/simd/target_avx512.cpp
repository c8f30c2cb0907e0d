// The kernels for x86-64 with AVX-512 F, DQ, BW and VL (2017 and later): 32 registers of 16 floats.
#include "lib/simd/limit_kernels.hpp"
#include "lib/simd/table.hpp"

namespace cria::simd::avx512 {

const Primitives& primitives() {
  // A part of such CPUs has VNNI, for which weights in blocks have a file of their own.
  static const Primitives table = kernels::table<xsimd::avx512bw>(
      "avx512", __builtin_cpu_supports("avx512vnni") ? avx512vnni::packed_kernels() : avx2::packed_kernels());
  return table;
}

const LimitLoops& limit_loops() {
  static constexpr LimitLoops loops = kernels::limit_loops<xsimd::avx512bw>();
  return loops;
}

}  // namespace cria::simd::avx512
