// The kernels for x86-64 with AVX2 and FMA (2013 and later): 16 registers of 8 floats.
#include <cpuid.h>

#include "lib/simd/limit_kernels.hpp"
#include "lib/simd/packed_avx2.hpp"
#include "lib/simd/packed_tile.hpp"
#include "lib/simd/table.hpp"

namespace cria::simd::avx2 {
namespace {

// The compilers' __builtin_cpu_supports has no name for it yet.
bool has_avxvnni() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & 1u << 4);
}

}  // namespace

PackedKernels packed_kernels() { return kernels::packed_kernels<kernels::Avx2, real>(); }

const Primitives& primitives() {
  // A part of such CPUs has VNNI, for which weights in blocks have a file of their own.
  static const Primitives table =
      kernels::table<xsimd::fma3<xsimd::avx2>>("avx2", has_avxvnni() ? avxvnni::packed_kernels() : packed_kernels());
  return table;
}

const LimitLoops& limit_loops() {
  static constexpr LimitLoops loops = kernels::limit_loops<xsimd::fma3<xsimd::avx2>>();
  return loops;
}

}  // namespace cria::simd::avx2
