// What an expression is along one row: something that gives the number at c, made of plain pointers and numbers, so
// that a loop over c is the one that one would write by hand.
//
// An expression may consist of views, xtensor's arrays, numbers, elementwise functions and column(v). A function that
// lib/simd has is run over a stretch of the row into a buffer, and is a plain row then as well.
#pragma once

#include <algorithm>
#include <cassert>
#include <tuple>

#include "lib/tensor/operands.hpp"

namespace cria::rowwise {

/// Indices of a row: all axes but the last.
template <size_t N>
using Index = std::array<size_t, N - 1>;

template <class T>
struct Elements {
  const T* at;
#ifdef CRIA_ASSERT
  size_t count;
#endif

  CRIA_INLINE T operator()(size_t c) const {
#ifdef CRIA_ASSERT
    assert(c < count);
#endif
    return at[c];
  }
};
template <class T>
CRIA_INLINE Elements<T> elements(const T* at, [[maybe_unused]] size_t count) {
#ifdef CRIA_ASSERT
  return {at, count};
#else
  return {at};
#endif
}

template <class T>
struct Number {
  T value;
  template <class Place>
  CRIA_INLINE T operator()(const Place&) const {
    return value;
  }
};

template <class F, class... Row>
struct Apply {
  F f;
  std::tuple<Row...> operands;
  template <class Place>
  CRIA_INLINE auto operator()(const Place& c) const {
    return unpack(
        operands, [&](const auto&... row) __attribute__((always_inline)) { return f(row(c)...); });
  }
};

/// All numbers of a view, for the indices of an N-dimensional target.
template <class T, size_t N>
struct Strided {
  const T* at;
  Shape<N> strides;

  T operator()(const Shape<N>& index) const {
    size_t offset = 0;
    for (size_t axis = 0; axis < N; ++axis) offset += index[axis] * strides[axis];
    return at[offset];
  }
};

/// A function that lib/simd has, to be run.
template <class F, class Row>
struct Call {
  Row operand;
  const void* expression;  // the one that this is a row of: met twice, it is run once
};

// The row of an operand at these indices of an N-dimensional target, of which `count` numbers are read.
template <size_t N, class T, size_t M>
CRIA_INLINE auto row(const View<T, M>& v, const Index<N>& index, size_t count) {
  const T* at = v.data();
  for (size_t axis = 0; axis + 1 < M; ++axis) at += index[N - M + axis] * v.stride(axis);
#ifdef CRIA_ASSERT
  assert(at + count <= end_of(v));
#endif
  return elements<std::remove_const_t<T>>(at, count);
}
template <size_t N, class EC, size_t M, xt::layout_type L, class Tag>
CRIA_INLINE auto row(const xt::xtensor_container<EC, M, L, Tag>& a, const Index<N>& index, size_t count) {
  return row<N>(view(a), index, count);
}
template <size_t N, class T>
CRIA_INLINE auto row(const Column<T>& column, const Index<N>& index, size_t) {
  return Number<std::remove_const_t<T>>{column.v(column.v.size() == 1 ? 0 : index[N - 2])};
}
template <size_t N, class CT>
CRIA_INLINE auto row(const xt::xscalar<CT>& number, const Index<N>&, size_t) {
  return Number<std::decay_t<CT>>{number()};
}
template <size_t N, class F, class... CT>
CRIA_INLINE auto row(const xt::xfunction<F, CT...>& e, const Index<N>& index, size_t count) {
  return unpack(
      e.arguments(), [&](const auto&... operand) __attribute__((always_inline)) {
        if constexpr (vectorised<xt::xfunction<F, CT...>>)
          return Call<std::decay_t<F>, decltype(row<N>(operand, index, count))...>{row<N>(operand, index, count)...,
                                                                                   &e};
        else
          return Apply<std::decay_t<F>, decltype(row<N>(operand, index, count))...>{e.functor(),
                                                                                    {row<N>(operand, index, count)...}};
      });
}

// All numbers of an operand.
template <size_t N, class T, size_t M>
CRIA_INLINE auto numbers(const View<T, M>& v) {
  Strided<std::remove_const_t<T>, N> all{v.data(), {}};
  for (size_t axis = 0; axis < M; ++axis) all.strides[N - M + axis] = v.stride(axis);
  return all;
}
template <size_t N, class EC, size_t M, xt::layout_type L, class Tag>
CRIA_INLINE auto numbers(const xt::xtensor_container<EC, M, L, Tag>& a) {
  return numbers<N>(view(a));
}
template <size_t N, class T>
CRIA_INLINE auto numbers(const Column<T>& column) {
  return numbers<N>(View<T, 2>(column.v.data(), {column.v.size(), 1}, {column.v.stride(0), 0}));
}
template <size_t N, class CT>
CRIA_INLINE auto numbers(const xt::xscalar<CT>& number) {
  return Number<std::decay_t<CT>>{number()};
}
template <size_t N, class F, class... CT>
CRIA_INLINE auto numbers(const xt::xfunction<F, CT...>& e) {
  return unpack(
      e.arguments(), [&](const auto&... operand) __attribute__((always_inline)) {
        return Apply<std::decay_t<F>, decltype(numbers<N>(operand))...>{e.functor(), {numbers<N>(operand)...}};
      });
}

/// Numbers of a stretch, whose results lie in one buffer a call: more would leave the L1 cache, fewer cost calls.
constexpr size_t stretch = 128;

/// How many buffers a row needs.
template <class Row>
constexpr size_t buffers = 0;
template <class F, class... Row>
constexpr size_t buffers<Apply<F, Row...>> = (buffers<Row> + ...);
template <class F, class Row>
constexpr size_t buffers<Call<F, Row>> = 1 + buffers<Row>;

/// The results of calls for one stretch.
template <size_t count>
struct Results {
  struct Key {
    const void *expression, *type;  // an expression's first operand has the same address
  };

  real (&numbers)[count][stretch];
  Key keys[count];
  size_t used = 0;
};
template <class Call>
constexpr char type_of = 0;

// A row from `begin` on for `count` numbers, its calls run: a row without calls.
template <class T, class Results>
CRIA_INLINE auto run(const Elements<T>& row, size_t begin, [[maybe_unused]] size_t count, Results&) {
  return elements<T>(row.at + begin, count);
}
template <class T, class Results>
CRIA_INLINE auto run(const Number<T>& row, size_t, size_t, Results&) {
  return row;
}
template <class F, class Row, class Results>
CRIA_INLINE auto run(const Call<F, Row>& call, size_t begin, size_t count, Results& results);
template <class F, class... Row, class Results>
CRIA_INLINE auto run(const Apply<F, Row...>& row, size_t begin, size_t count, Results& results) {
  return unpack(
      row.operands, [&](const auto&... operand) __attribute__((always_inline)) {
        return Apply<F, decltype(run(operand, begin, count, results))...>{row.f,
                                                                          {run(operand, begin, count, results)...}};
      });
}

// f(factor * x + offset) is one pass where x is a row in memory.
template <class F>
CRIA_INLINE void compute(const Elements<real>& x, size_t count, real* to) {
  Vectorised<F>::run(x.at, 1, 0, to, count);
}
template <class F>
CRIA_INLINE void compute(const Apply<xt::detail::negate, Elements<real>>& x, size_t count, real* to) {
  Vectorised<F>::run(std::get<0>(x.operands).at, -1, 0, to, count);
}
template <class F>
CRIA_INLINE void compute(const Apply<xt::detail::minus, Elements<real>, Number<real>>& x, size_t count, real* to) {
  Vectorised<F>::run(std::get<0>(x.operands).at, 1, -std::get<1>(x.operands).value, to, count);
}
template <class F>
CRIA_INLINE void compute(const Apply<xt::detail::multiplies, Elements<real>, Number<real>>& x, size_t count, real* to) {
  Vectorised<F>::run(std::get<0>(x.operands).at, std::get<1>(x.operands).value, 0, to, count);
}
template <class F>
CRIA_INLINE void compute(
    const Apply<xt::detail::minus, Apply<xt::detail::multiplies, Elements<real>, Number<real>>, Number<real>>& x,
    size_t count, real* to) {
  const auto& [product, offset] = x.operands;
  Vectorised<F>::run(std::get<0>(product.operands).at, std::get<1>(product.operands).value, -offset.value, to, count);
}
template <class F, class Row>
CRIA_INLINE void compute(const Row& x, size_t count, real* to) {
#pragma omp simd
  for (size_t c = 0; c < count; ++c) to[c] = x(c);
  Vectorised<F>::run(to, 1, 0, to, count);
}
template <class F, class Row, class Results>
CRIA_INLINE auto run(const Call<F, Row>& call, size_t begin, size_t count, Results& results) {
  const void* const type = &type_of<Call<F, Row>>;
#pragma GCC unroll 8
  for (size_t i = 0; i < results.used; ++i)
    if (results.keys[i].expression == call.expression && results.keys[i].type == type)
      return elements<real>(results.numbers[i], count);
  const auto x = run(call.operand, begin, count, results);
  real* const to = results.numbers[results.used];
  results.keys[results.used++] = {call.expression, type};
  compute<F>(x, count, to);
  return elements<real>(to, count);
}

/// Calls use(begin, count, row…) with rows without calls: with the whole rows, or with stretches of them.
template <class Use, class... Row>
CRIA_INLINE void for_each_stretch(size_t count, Use use, const Row&... whole) {
  if constexpr ((buffers<Row> + ...) == 0) {
    use(0, count, whole...);
  } else {
    alignas(64) real numbers[(buffers<Row> + ...)][stretch];
    for (size_t begin = 0; begin < count; begin += stretch) {
      const size_t length = std::min(stretch, count - begin);
      Results<(buffers<Row> + ...)> results{numbers, {}};
      use(begin, length, run(whole, begin, length, results)...);
    }
  }
}

}  // namespace cria::rowwise
