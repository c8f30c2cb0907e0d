// Chapter 02, linear and embedding. The products themselves are the primitive simd::gemm; what this file adds is which
// matrix is transposed when. It leaves out biases. What packed weights are is lib/simd/packed.hpp's.
#include "chapters/02-linear/linear.hpp"

#include <fmt/format.h>

#include "lib/base/check.hpp"
#include "lib/simd/workspace.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

void require_token(std::int32_t token, size_t vocabulary) {
  if (token < 0 || static_cast<size_t>(token) >= vocabulary)
    throw ContractError(fmt::format("token id {} is not in 0 … {}", token, vocabulary - 1));
}

/// Memory of this thread for what a product reads instead of x, or its gradient.
View<real, 2> changed_input(const Shape<2>& shape) {
  void* memory = simd::workspace(element_count(shape) * sizeof(real), simd::WorkspaceUse::component);
  return {static_cast<real*>(memory), shape};
}

/// d_x += d_y W
void input_backward(View<const real, 2> d_y, const Weight& weight, View<real, 2> d_x) {
  if (weight.is_packed())
    multiply_packed_back(d_y, weight, d_x);
  else
    noalias(d_x) += matmul(d_y, weight.numbers());
}

}  // namespace

void plain_product(View<const real, 2> a, View<const real, 2> b, View<real, 2> c) {
  const size_t N = a.shape(0), K = a.shape(1), M = b.shape(1);
  require_shape("plain_product: b", b, Shape<2>{K, M});
  require_shape("plain_product: c", c, Shape<2>{N, M});
  // solution: plain_product
  for (size_t n = 0; n < N; ++n)
    for (size_t m = 0; m < M; ++m) {
      real sum = 0;
      for (size_t k = 0; k < K; ++k) sum += a(n, k) * b(k, m);
      c(n, m) = sum;
    }
  // end of solution
}

void linear_forward(View<const real, 2> x, View<const real, 2> weight, View<real, 2> y) {
  const size_t N = x.shape(0), K = x.shape(1), M = weight.shape(0);
  require_shape("linear_forward: weight", weight, Shape<2>{M, K});
  require_shape("linear_forward: y", y, Shape<2>{N, M});
  // solution: linear_forward
  noalias(y) = matmul(x, transposed(weight));
  // end of solution
}

void linear_forward(View<const real, 2> x, const Weight& weight, View<real, 2> y, const RoundedRows& rounded,
                    Rows rows) {
  View<const real, 2> read = x;
  if (weight.changes_input()) {
    const View<real, 2> changed = changed_input(x.shape());
    weight.addition()->input_forward(x, changed);
    read = changed;
  }
  if (weight.is_packed())
    multiply_packed(read, weight, y, weight.changes_input() ? RoundedRows() : rounded, rows);
  else if (rows == Rows::together || x.shape(0) == 1)
    linear_forward(read, weight.numbers(), y);
  else
    noalias(y) = matmul(read, transposed(weight.numbers()), Rows::apart);
  weight.add_forward(x, y, rows);
}

void linear_backward(View<const real, 2> d_y, View<const real, 2> x, View<const real, 2> weight, View<real, 2> d_x,
                     View<real, 2> d_weight) {
  const size_t N = x.shape(0), K = x.shape(1), M = weight.shape(0);
  require_shape("linear_backward: d_y", d_y, Shape<2>{N, M});
  require_shape("linear_backward: weight", weight, Shape<2>{M, K});
  require_shape("linear_backward: d_x", d_x, Shape<2>{N, K});
  require_shape("linear_backward: d_weight", d_weight, Shape<2>{M, K});
  // solution: linear_backward
  // y[n, m] = Σ_k x[n, k] weight[m, k], so x[n, k] is met once for each m, with weight[m, k] …
  noalias(d_x) += matmul(d_y, weight);
  // … and weight[m, k] once for each row n, with x[n, k].
  noalias(d_weight) += matmul(transposed(d_y), x);
  // end of solution
}

void linear_backward(View<const real, 2> d_y, View<const real, 2> x, const Weight& weight, View<real, 2> d_x,
                     View<real, 2> d_weight) {
  if (!d_weight.empty()) {
    require(!weight.is_packed(), "linear_backward", "packed weights have no gradient");
    require(!weight.changes_input(), "linear_backward", "a weight that learns reads x as it is");
    linear_backward(d_y, x, weight.numbers(), d_x, d_weight);
  } else if (weight.changes_input()) {
    const View<real, 2> d_read = changed_input(x.shape());
    noalias(d_read) = 0;
    input_backward(d_y, weight, d_read);
    weight.addition()->input_backward(d_read, x, d_x);
  } else if (!d_x.empty()) {
    input_backward(d_y, weight, d_x);
  }
  weight.add_backward(d_y, x, d_x);
}

void embedding_forward(View<const std::int32_t, 1> tokens, View<const real, 2> table, View<real, 2> out) {
  const size_t N = tokens.shape(0), V = table.shape(0), C = table.shape(1);
  require_shape("embedding_forward: out", out, Shape<2>{N, C});
  for (size_t n = 0; n < N; ++n) {
    require_token(tokens[n], V);
    // solution: embedding_forward
    noalias(out[n]) = table[static_cast<size_t>(tokens[n])];
    // end of solution
  }
}

void embedding_forward(View<const std::int32_t, 1> tokens, const Weight& table, View<real, 2> out) {
  if (!table.is_packed()) return embedding_forward(tokens, table.numbers(), out);
  require_shape("embedding_forward: out", out, Shape<2>{tokens.shape(0), table.shape(1)});
  for (size_t n = 0; n < tokens.shape(0); ++n) {
    require_token(tokens[n], table.shape(0));
    unpack_row(table, static_cast<size_t>(tokens[n]), out[n]);
  }
}

void embedding_backward(View<const real, 2> d_out, View<const std::int32_t, 1> tokens, View<real, 2> d_table) {
  if (d_table.empty()) return;
  const size_t N = tokens.shape(0), V = d_table.shape(0), C = d_table.shape(1);
  require_shape("embedding_backward: d_out", d_out, Shape<2>{N, C});
  for (size_t n = 0; n < N; ++n) {
    require_token(tokens[n], V);
    // solution: embedding_backward
    // out[n] = table[tokens[n]]
    noalias(d_table[static_cast<size_t>(tokens[n])]) += d_out[n];
    // end of solution
  }
}

}  // namespace cria
