#include "lib/tensor/product.hpp"

#include <fmt/format.h>

namespace cria {

void Product::fail_inner() const {
  throw ContractError(fmt::format("matmul: {} and {} have no inner dimension in common", shape_text(a.shape()),
                                  shape_text(b.shape())));
}

void Product::fail_result(View<real, 2> c) const {
  require_shape("matmul: the result", c, Shape<2>{a.shape(0), b.shape(1)});
  fail("matmul", "the rows of the result must not have gaps");
}

}  // namespace cria
