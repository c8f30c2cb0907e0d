// xtensor as cria uses it: its arrays, functions, reductions and builders, for what owns memory. Views are expressions
// of their own (view.hpp), and lib/tensor writes into them. Only this file and xtensor_core.hpp include xtensor, whose
// folders moved in 0.26.
#pragma once

#if __has_include(<xtensor/containers/xtensor.hpp>)
#include <xtensor/containers/xtensor.hpp>
#include <xtensor/core/xmath.hpp>
#include <xtensor/generators/xbuilder.hpp>
#else
#include <xtensor/xbuilder.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xtensor.hpp>
#endif

#include "lib/base/real.hpp"
#include "lib/base/view.hpp"

namespace cria {

/// An owning row-major array.
template <class T, size_t N>
using Array = xt::xtensor<T, N>;

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
