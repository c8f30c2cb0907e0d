// Elementwise functions of expressions. Every one of xtensor's works (xt::sqrt, xt::square, xt::maximum, …), as a plain
// loop; those that no compiler turns into vectors are computed by lib/simd, a stretch of a row at a time.
#pragma once

#include <cmath>

#include "lib/base/xtensor.hpp"
#include "lib/simd/primitives.hpp"

namespace cria {

struct SigmoidFunction {
  template <class T>
  T operator()(const T& x) const {
    return 1 / (1 + std::exp(-x));
  }
};

/// 1 / (1 + exp(-x)), elementwise: 0 and 1 far out, where exp(-x) is infinite or 0.
template <class E>
auto sigmoid(E&& x) {
  return xt::detail::make_xfunction<SigmoidFunction>(std::forward<E>(x));
}

namespace rowwise {

/// The functions that lib/simd has: run(x, factor, offset, y, count) writes f(factor * x + offset) to y.
template <class F>
struct Vectorised : std::false_type {};
template <>
struct Vectorised<xt::math::exp_fun> : std::true_type {
  static void run(const real* x, real factor, real offset, real* y, size_t count) {
    simd::exp(x, factor, offset, y, count);
  }
};
template <>
struct Vectorised<SigmoidFunction> : std::true_type {
  static void run(const real* x, real factor, real offset, real* y, size_t count) {
    simd::sigmoid(x, factor, offset, y, count);
  }
};

template <class E>
constexpr bool vectorised = false;
template <class F, class CT>
constexpr bool vectorised<xt::xfunction<F, CT>> =
    Vectorised<std::decay_t<F>>::value&& std::is_same_v<typename std::decay_t<CT>::value_type, real>;

}  // namespace rowwise
}  // namespace cria
