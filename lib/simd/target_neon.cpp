// The kernels for 64-bit Arm: 32 registers of 4 floats.
#ifdef __linux__
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "lib/simd/limit_kernels.hpp"
#include "lib/simd/packed_neon.hpp"
#include "lib/simd/packed_tile.hpp"
#include "lib/simd/table.hpp"

namespace cria::simd::neon {

bool has_sdot() {
#ifdef __linux__
  return ::getauxval(AT_HWCAP) & HWCAP_ASIMDDP;
#else
  return true;  // every Mac of this architecture
#endif
}

PackedKernels packed_kernels() { return kernels::packed_kernels<kernels::Neon, real>(); }

const Primitives& primitives() {
  static const Primitives table =
      kernels::table<xsimd::neon64>("neon", has_sdot() ? neondot::packed_kernels() : packed_kernels());
  return table;
}

const LimitLoops& limit_loops() {
  static constexpr LimitLoops loops = kernels::limit_loops<xsimd::neon64>();
  return loops;
}

}  // namespace cria::simd::neon
