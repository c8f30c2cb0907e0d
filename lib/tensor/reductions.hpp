// What makes one number of a row: of any one-dimensional expression. Its operands must not have gaps between numbers, or
// a ContractError is thrown. There is no axis to name: one number for each row of a matrix is a loop over the rows.
#pragma once

#include <limits>

#include "lib/tensor/rows.hpp"

namespace cria {
namespace rowwise {

/// The length of a one-dimensional expression.
template <class T>
size_t length(const View<T, 1>& v) {
  return v.size();
}
template <class EC, xt::layout_type L, class Tag>
size_t length(const xt::xtensor_container<EC, 1, L, Tag>& a) {
  return a.size();
}
template <class CT>
size_t length(const xt::xscalar<CT>&) {
  return 0;  // as long as the others
}
template <class F, class... CT>
size_t length(const xt::xfunction<F, CT...>& e) {
  return std::apply([](const auto&... operand) { return std::max({length(operand)...}); }, e.arguments());
}

/// Forms one number of a row in as many parts as a wide vector has lanes, and joins them by halves.
template <class E, class Join>
CRIA_INLINE auto reduce(const E& e, typename E::value_type start, Join join) {
  using T = typename E::value_type;
  static_assert(supported<E>, "an expression may have views, numbers and elementwise functions");
  const size_t count = length(e);
  const View<const T, 1> target(nullptr, {count});
  if (!Operands<const T, 1>(target, e).dense) fail_gaps();
  constexpr size_t width = 64 / sizeof(T);
  alignas(64) T lanes[width];
  for (T& lane : lanes) lane = start;
  for_each_stretch(
      count,
      [&](size_t, size_t length, const auto& row) __attribute__((always_inline)) {
        size_t c = 0;
        for (; c + width <= length; c += width)
#pragma omp simd
          for (size_t lane = 0; lane < width; ++lane) lanes[lane] = join(lanes[lane], row(c + lane));
        for (size_t lane = 0; c + lane < length; ++lane) lanes[lane] = join(lanes[lane], row(c + lane));
      },
      row<1>(e, {}, count));
  for (size_t half = width / 2; half > 0; half /= 2)
#pragma omp simd
    for (size_t lane = 0; lane < half; ++lane) lanes[lane] = join(lanes[lane], lanes[lane + half]);
  return lanes[0];
}

}  // namespace rowwise

/// Σ of a row's numbers; 0 for an empty row.
template <class E>
CRIA_INLINE auto total(const xt::xexpression<E>& e) {
  using T = typename E::value_type;
  return rowwise::reduce(
      e.derived_cast(), 0, [](T a, T b) __attribute__((always_inline)) { return a + b; });
}

/// The largest of a row's numbers; -inf for an empty row.
template <class E>
CRIA_INLINE auto largest(const xt::xexpression<E>& e) {
  using T = typename E::value_type;
  return rowwise::reduce(
      e.derived_cast(), -std::numeric_limits<T>::infinity(),
      [](T a, T b) __attribute__((always_inline)) { return a > b ? a : b; });
}

}  // namespace cria
