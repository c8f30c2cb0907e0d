// The targets that a build may hold. Each is one .cpp file, compiled with the flags of its instruction set.
#pragma once

#include "lib/simd/limits.hpp"
#include "lib/simd/primitives.hpp"

// A file compiled for an instruction set must not leave inline functions behind that older CPUs could be made to run,
// so these files include nothing but plain headers, and keep their kernels in a namespace per target.
namespace cria::simd {
namespace portable {
// Those that other targets fall back on.
void widen(const Float16* x, real* y, size_t n);
void widen(const BFloat16* x, real* y, size_t n);
void widen(const BlockQ8_0* x, real* y, size_t blocks);
void narrow(const real* x, Float16* y, size_t n);
void narrow(const real* x, BFloat16* y, size_t n);
real dot(const Float16* x, const real* y, size_t n);
real dot(const BFloat16* x, const real* y, size_t n);

PackedKernels packed_kernels();

const Primitives& primitives();
const LimitLoops& limit_loops();
}  // namespace portable
namespace avx2 {
PackedKernels packed_kernels();
const Primitives& primitives();
const LimitLoops& limit_loops();
}  // namespace avx2
namespace avxvnni {
PackedKernels packed_kernels();
}
namespace avx512 {
const Primitives& primitives();
const LimitLoops& limit_loops();
}  // namespace avx512
namespace avx512vnni {
PackedKernels packed_kernels();
}
namespace neondot {
PackedKernels packed_kernels();
}
namespace neon {
bool has_sdot();
PackedKernels packed_kernels();
const Primitives& primitives();
const LimitLoops& limit_loops();
}  // namespace neon
}  // namespace cria::simd
