// Chapter 15, a change of low rank: forward, backward, and merging. It leaves out which layers have one: lora.cpp.
#include "chapters/15-adapters/low_rank.hpp"

#include "lib/base/check.hpp"
#include "lib/base/xtensor.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {

void low_rank_forward(View<const real, 2> x, View<const real, 2> a, View<const real, 2> b, real scale,
                      View<real, 2> inner, View<real, 2> y) {
  const size_t N = x.shape(0), K = x.shape(1), R = a.shape(0);
  require_shape("low_rank_forward: a", a, Shape<2>{R, K});
  require_shape("low_rank_forward: y", y, Shape<2>{N, b.shape(0)});
  require_shape("low_rank_forward: b", b, Shape<2>{y.shape(1), R});
  require_shape("low_rank_forward: inner", inner, Shape<2>{N, R});
  // solution: low_rank_forward
  noalias(inner) = matmul(x, transposed(a));
  noalias(inner) *= scale;  // of the narrow one: R numbers a row, not M
  noalias(y) += matmul(inner, transposed(b));
  // end of solution
}

void low_rank_backward(View<const real, 2> d_y, View<const real, 2> x, View<const real, 2> a, View<const real, 2> b,
                       real scale, View<real, 2> inner, View<real, 2> d_inner, View<real, 2> d_x, View<real, 2> d_a,
                       View<real, 2> d_b) {
  const size_t N = x.shape(0), K = x.shape(1), M = b.shape(0), R = a.shape(0);
  require_shape("low_rank_backward: d_y", d_y, Shape<2>{N, M});
  require_shape("low_rank_backward: a", a, Shape<2>{R, K});
  require_shape("low_rank_backward: b", b, Shape<2>{M, R});
  require_shape("low_rank_backward: inner", inner, Shape<2>{N, R});
  require_shape("low_rank_backward: d_inner", d_inner, Shape<2>{N, R});
  require_shape("low_rank_backward: d_a", d_a, a.shape());
  require_shape("low_rank_backward: d_b", d_b, b.shape());
  if (!d_x.empty()) require_shape("low_rank_backward: d_x", d_x, Shape<2>{N, K});
  // solution: low_rank_backward
  // y += inner Bᵀ, with inner = scale x Aᵀ, which is sooner formed again than kept
  noalias(inner) = matmul(x, transposed(a));
  noalias(inner) *= scale;
  noalias(d_b) += matmul(transposed(d_y), inner);
  noalias(d_inner) = matmul(d_y, b);
  // inner = scale x Aᵀ
  noalias(d_inner) *= scale;
  noalias(d_a) += matmul(transposed(d_inner), x);
  if (!d_x.empty()) noalias(d_x) += matmul(d_inner, a);
  // end of solution
}

void merge_low_rank(View<real, 2> weight, View<const real, 2> a, View<const real, 2> b, real scale) {
  require_shape("merge_low_rank: weight", weight, Shape<2>{b.shape(0), a.shape(1)});
  require_shape("merge_low_rank: b", b, Shape<2>{b.shape(0), a.shape(0)});
  // solution: merge_low_rank
  const Array<real, 2> scaled = scale * b;
  noalias(weight) += matmul(view(scaled), a);
  // end of solution
}

}  // namespace cria
