// The kernels for 64-bit Arm: 32 registers of 4 floats.
#include "lib/simd/limit_kernels.hpp"
#include "lib/simd/table.hpp"

namespace cria::simd::neon {

const Primitives& primitives() {
  static const Primitives table = kernels::table<xsimd::neon64>("neon", portable::packed_kernels());
  return table;
}

const LimitLoops& limit_loops() {
  static constexpr LimitLoops loops = kernels::limit_loops<xsimd::neon64>();
  return loops;
}

}  // namespace cria::simd::neon
