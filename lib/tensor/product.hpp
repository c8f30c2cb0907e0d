// Products, and the other primitives of lib/simd over views, with the shapes checked.
#pragma once

#include "lib/tensor/operands.hpp"

namespace cria {

/// The transpose, by other strides on the same memory.
template <class T>
View<T, 2> transposed(const View<T, 2>& x) {
  return x.template swapped<0, 1>();
}

/// Whether rows of a product share what they can, or each of them has the bits of a product of that row alone: those of
/// texts that are decoded side by side must not depend on each other. Only for x Wᵀ, and not added to what is there.
enum class Rows { together, apart };

/// A product that is not computed yet: noalias(c) = matmul(a, b) computes it, noalias(c) += matmul(a, b) adds it. It is
/// no expression, as its numbers are not computed one by one.
struct Product {
  View<const real, 2> a, b;
  Rows rows = Rows::together;

  /// Throws a ContractError when shapes do not fit, or when c overlaps a or b. In place, as a token of a small model
  /// takes forty products of a row or two.
  CRIA_INLINE void write_to(View<real, 2> c, bool add) const {
    if (b.shape(0) != a.shape(1)) fail_inner();
    if (c.shape(0) != a.shape(0) || c.shape(1) != b.shape(1) || c.stride(1) > 1) fail_result(c);
    for (const View<const real, 2>& operand : {a, b})
      if (operand.data() < rowwise::end_of(c) && c.data() < rowwise::end_of(operand))
        rowwise::require_apart(rowwise::place(operand), rowwise::place(c));
    if (rows == Rows::apart) return write_apart(c, add);
    simd::gemm(c.shape(0), c.shape(1), a.shape(1), matrix(a), matrix(b), c.data(), c.stride(0), add);
  }

 private:
  // An axis of length 1 has the stride 0 in a view; the primitives want to see rows without gaps.
  static CRIA_INLINE simd::Matrix matrix(const View<const real, 2>& x) {
    return {x.data(), x.stride(0), x.shape(1) == 1 ? 1 : x.stride(1)};
  }
  void write_apart(View<real, 2> c, bool add) const;
  [[noreturn]] __attribute__((cold)) void fail_inner() const;
  [[noreturn]] __attribute__((cold)) void fail_result(View<real, 2> c) const;
};

/// a b, of (m, k) and (k, n). See simd::gemm for the order in which each sum is formed.
inline Product matmul(View<const real, 2> a, View<const real, 2> b, Rows rows = Rows::together) { return {a, b, rows}; }

/// Σ x[i] y[i]
inline real dot(View<const real, 1> x, View<const real, 1> y) {
  if (x.size() != y.size()) rowwise::fail_lengths(x.size(), y.size());
  if (x.stride(0) > 1 || y.stride(0) > 1) rowwise::fail_gaps();
  return simd::dot(x.data(), y.data(), x.size());
}

/// Turns x itself into its softmax, without noalias, and returns log Σ exp(x) of what x was. See simd::softmax.
inline real softmax(View<real, 1> x) {
  if (x.stride(0) > 1) rowwise::fail_gaps();
  return simd::softmax(x.data(), x.size());
}

}  // namespace cria
