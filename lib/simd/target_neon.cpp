// The kernels for 64-bit Arm: 32 registers of 4 floats.
#include "lib/simd/table.hpp"

namespace cria::simd::neon {

const Primitives& primitives() {
  static constexpr Primitives table = kernels::table<xsimd::neon64>("neon");
  return table;
}

}  // namespace cria::simd::neon
