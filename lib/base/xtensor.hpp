// The bridge between views and xtensor, and the only file that includes xtensor (its folders moved in 0.26).
//
// Idioms that keep xtensor expressions right and fast; docs/conventions.md has the reasons:
// - write into memory that exists: `noalias(array(y)) = array(x) * w`, where no operand overlaps y;
// - evaluate every reduction into a named scalar or typed tensor before using it in a larger expression;
// - never return or store an `auto` expression of local variables;
// - literals are `real(1)`, not `1.0`, or a whole expression turns into double.
#pragma once

#if __has_include(<xtensor/containers/xadapt.hpp>)
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/containers/xtensor.hpp>
#include <xtensor/core/xmath.hpp>
#include <xtensor/core/xnoalias.hpp>
#include <xtensor/generators/xbuilder.hpp>
#else
#include <xtensor/xadapt.hpp>
#include <xtensor/xbuilder.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xnoalias.hpp>
#include <xtensor/xtensor.hpp>
#endif

#include "lib/base/real.hpp"
#include "lib/base/view.hpp"

namespace cria {

using xt::noalias;

/// An owning row-major array.
template <class T, size_t N>
using Array = xt::xtensor<T, N>;

/// A contiguous view as an xtensor: no copy, no allocation.
template <class T, size_t N>
auto array(const View<T, N>& v) {
  assert(v.contiguous());
  return xt::adapt(v.data(), v.size(), xt::no_ownership(), v.shape());
}

/// An xtensor as a view. The array must outlive it.
template <class T, size_t N>
View<T, N> view(Array<T, N>& a) {
  Shape<N> shape;
  std::copy(a.shape().begin(), a.shape().end(), shape.begin());
  return {a.data(), shape};
}
template <class T, size_t N>
View<const T, N> view(const Array<T, N>& a) {
  Shape<N> shape;
  std::copy(a.shape().begin(), a.shape().end(), shape.begin());
  return {a.data(), shape};
}

/// An array of zeros.
template <class T, size_t N>
Array<T, N> zeros(const Shape<N>& shape) {
  return Array<T, N>(shape, T(0));
}

}  // namespace cria
