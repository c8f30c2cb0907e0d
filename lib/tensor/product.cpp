#include "lib/tensor/product.hpp"

#include <fmt/format.h>

namespace cria {
namespace {

// An axis of length 1 has the stride 0 in a view; the primitives want to see rows without gaps.
simd::Matrix matrix(View<const real, 2> x) { return {x.data(), x.stride(0), x.shape(1) == 1 ? 1 : x.stride(1)}; }

}  // namespace

void Product::write_to(View<real, 2> c, bool add) const {
  const size_t m = a.shape(0), k = a.shape(1), n = b.shape(1);
  if (b.shape(0) != k)
    throw ContractError(fmt::format("matmul: {} and {} have no inner dimension in common", shape_text(a.shape()),
                                    shape_text(b.shape())));
  // Compared here: a token of a small model takes forty products of a row, and a call costs as much as the check.
  if (c.shape(0) != m || c.shape(1) != n) require_shape("matmul: the result", c, Shape<2>{m, n});
  if (c.stride(1) > 1) require(false, "matmul", "the rows of the result must not have gaps");
  for (const View<const real, 2>* operand : {&a, &b})
    if (operand->data() < rowwise::end_of(c) && c.data() < rowwise::end_of(*operand))
      rowwise::require_apart(rowwise::place(*operand), rowwise::place(c));
  simd::gemm(m, n, k, matrix(a), matrix(b), c.data(), c.stride(0), add);
}

}  // namespace cria
