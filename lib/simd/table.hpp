// The table of a target's primitives: the kernels for one architecture under the names that primitives.hpp gives them.
#pragma once

#include "lib/simd/gemm.hpp"
#include "lib/simd/half.hpp"
#include "lib/simd/kernels.hpp"
#include "lib/simd/targets.hpp"

namespace cria::simd::kernels {

template <class Arch>
void gemm(size_t m, size_t n, size_t k, Matrix a, Matrix b, real* c, size_t c_stride, bool accumulate) {
  gemm<Arch, real>(m, n, k, Source<real>{a.data, a.row_stride, a.column_stride},
                   Source<real>{b.data, b.row_stride, b.column_stride}, c, c_stride, accumulate);
}

template <class Arch>
constexpr Primitives table(const char* target, PackedKernels packed) {
  return {.target = target,
          .dot = dot<Arch, real>,
          .axpy = axpy<Arch, real>,
          .gemm = gemm<Arch>,
          .multiply_each_row = multiply_each_row<Arch, real>,
          .softmax = softmax<Arch, real>,
          .exp = exp<Arch, real>,
          .sigmoid = sigmoid<Arch, real>,
          .widen_float16 = widen<Arch, Float16>,
          .widen_bfloat16 = widen<Arch, BFloat16>,
          .widen_q8_0 = widen_blocks<Arch, real>,
          .narrow_float16 = narrow<Arch, Float16>,
          .narrow_bfloat16 = narrow<Arch, BFloat16>,
          .dot_float16 = dot_stored<Arch, Float16>,
          .dot_bfloat16 = dot_stored<Arch, BFloat16>,
          .packed = packed};
}

}  // namespace cria::simd::kernels
