#include "lib/tensor/product.hpp"

#include <fmt/format.h>

namespace cria {

void Product::write_apart(View<real, 2> c, bool add) const {
  const simd::Matrix x = matrix(a), weight = matrix(b).transposed();
  require(!add && x.column_stride == 1 && (weight.column_stride == 1 || a.shape(1) <= 1), "matmul",
          "rows apart are for x Wᵀ, of rows without gaps, and not added");
  simd::multiply_each_row(c.shape(0), c.shape(1), a.shape(1), x.data, x.row_stride, weight.data, weight.row_stride,
                          c.data(), c.stride(0));
}

void Product::fail_inner() const {
  throw ContractError(
      fmt::format("matmul: {} and {} have no inner dimension in common", shape_text(a.shape()), shape_text(b.shape())));
}

void Product::fail_result(View<real, 2> c) const {
  require_shape("matmul: the result", c, Shape<2>{a.shape(0), b.shape(1)});
  fail("matmul", "the rows of the result must not have gaps");
}

}  // namespace cria
