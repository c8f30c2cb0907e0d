// A vector that stands upright.
#pragma once

#include "lib/base/view.hpp"

namespace cria {

/// What column(v) gives: (N, 1), for expressions that noalias writes.
template <class T>
struct Column : xt::xexpression<Column<T>> {
  using value_type = std::remove_const_t<T>;
  using reference = const value_type&;
  using const_reference = const value_type&;
  using size_type = size_t;
  using difference_type = std::ptrdiff_t;
  using shape_type = Shape<2>;
  using bool_load_type = xt::bool_load_type<value_type>;
  using expression_tag = xt::xtensor_expression_tag;
  static constexpr xt::layout_type static_layout = xt::layout_type::dynamic;
  static constexpr bool contiguous_layout = false;

  const View<T, 1> v;

  explicit Column(View<T, 1> of) : v(of) {}
};

/// v along the rows of a matrix: x * column(v) is x(n, c) * v(n). In xtensor's words xt::view(v, xt::all(),
/// xt::newaxis()).
template <class T>
Column<T> column(View<T, 1> v) {
  return Column<T>(v);
}

}  // namespace cria
