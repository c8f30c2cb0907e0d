// Products, and the other primitives of lib/simd over views, with the shapes checked.
#pragma once

#include "lib/tensor/operands.hpp"

namespace cria {

/// The transpose, by other strides on the same memory.
template <class T>
View<T, 2> transposed(const View<T, 2>& x) {
  return x.template swapped<0, 1>();
}

/// A product that is not computed yet: noalias(c) = matmul(a, b) computes it, noalias(c) += matmul(a, b) adds it. It is
/// no expression, as its numbers are not computed one by one.
struct Product {
  View<const real, 2> a, b;

  /// Throws a ContractError when shapes do not fit, or when c overlaps a or b.
  void write_to(View<real, 2> c, bool add) const;
};

/// a b, of (m, k) and (k, n). See simd::gemm for the order in which each sum is formed.
inline Product matmul(View<const real, 2> a, View<const real, 2> b) { return {a, b}; }

/// Σ x[i] y[i]
inline real dot(View<const real, 1> x, View<const real, 1> y) {
  if (x.size() != y.size()) rowwise::fail_lengths(x.size(), y.size());
  if (x.stride(0) > 1 || y.stride(0) > 1) rowwise::fail_gaps();
  return simd::dot(x.data(), y.data(), x.size());
}

/// x = softmax(x) in place; returns log Σ exp(x). See simd::softmax.
inline real softmax(View<real, 1> x) {
  if (x.stride(0) > 1) rowwise::fail_gaps();
  return simd::softmax(x.data(), x.size());
}

}  // namespace cria
