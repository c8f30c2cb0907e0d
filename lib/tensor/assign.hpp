// noalias(y) = x * w: how an xtensor expression is written into a view. Each row becomes one loop over plain pointers,
// which the compiler turns into vectors; nothing is allocated.
//
// xtensor's own assignment has a fixed cost that a row of 64 numbers does not repay, and goes element by element over
// what is broadcast along rows. What goes wrong in xtensor does not compile here (a lazy reduction inside an
// expression; real turned into double by a literal such as 1.0) or throws a ContractError that prints both shapes
// (operands that do not fit or overlap the target).
#pragma once

#include "lib/tensor/operands.hpp"
#include "lib/tensor/rows.hpp"

namespace cria {
namespace rowwise {

struct Assign {
  template <class T>
  CRIA_INLINE void operator()(T& a, T b) const {
    a = b;
  }
};

/// Stores value i at place i, in this order: all values are known by then.
template <class Op, class T, size_t... i>
CRIA_INLINE void store(Op op, const std::array<T*, sizeof...(i)>& to, size_t c, std::index_sequence<i...>,
                       const auto&... row) {
  const std::array<T, sizeof...(i)> values = {row(c)...};
  (op(to[i][c], values[i]), ...);
}

/// A function that lib/simd has, and nothing around it: no buffer in between.
template <class F, class Row>
CRIA_INLINE void write_rows(const std::array<real*, 1>& to, size_t count, Assign, const Call<F, Row>& call) {
  for_each_stretch(
      count,
      [&](size_t begin, size_t length, const auto& operand)
          __attribute__((always_inline)) { compute<F>(operand, length, to[0] + begin); },
      call.operand);
}

template <class T, size_t K, class Op, class... Row>
CRIA_INLINE void write_rows(const std::array<T*, K>& to, size_t count, Op op, const Row&... row) {
  for_each_stretch(
      count,
      [&](size_t begin, size_t length, const auto&... plain) __attribute__((always_inline)) {
        std::array<T*, K> part = to;
        for (T*& p : part) p += begin;
#pragma omp simd
        for (size_t c = 0; c < length; ++c) store(op, part, c, std::make_index_sequence<K>(), plain...);
      },
      row...);
}

/// Goes through all indices but the last; false after the last of them.
template <size_t N>
CRIA_INLINE bool next(Index<N>& index, const Shape<N>& shape) {
  for (size_t axis = N - 1; axis-- > 0;) {
    if (++index[axis] < shape[axis]) return true;
    index[axis] = 0;
  }
  return false;
}

/// Where rows have gaps or are not as long as the target's: any strides, one number after the other. (It takes the
/// expressions taken apart, as an address of one, here only, would keep it in memory everywhere.)
template <class T, size_t N, size_t K, class Op, class... Numbers>
__attribute__((noinline, cold)) void write_numbers(std::array<View<T, N>, K> to, Op op, Numbers... numbers) {
  Index<N> outer{};
  do {
    Shape<N> index;
    std::copy(outer.begin(), outer.end(), index.begin());
    for (size_t& c = index[N - 1] = 0; c < to[0].shape(N - 1); ++c) {
      const std::array<T, K> values = {static_cast<T>(numbers(index))...};
      for (size_t k = 0; k < K; ++k) op(std::apply(to[k], index), values[k]);
    }
  } while (next<N>(outer, to[0].shape()));
}

/// What is no expression of single numbers, such as matmul(a, b).
template <class E, class To>
concept WritesItself = requires(const E& e, const To& to) {
  e.write_to(to, true);
};

/// Writes one expression into each view; all views have the same shape.
template <class T, size_t N, size_t K, class Op, class... E>
CRIA_INLINE void write(const std::array<View<T, N>, K>& to, Op op, const E&... e) {
  static_assert((supported<E> && ...),
                "an expression may have views, numbers, elementwise functions and column(v): "
                "evaluate a reduction first, and give it a name");
  static_assert(sizeof...(E) == K, "as many expressions are needed as there are views to write");
  if constexpr ((supported<E> && ...)) {
    static_assert((std::is_same_v<typename E::value_type, T> && ...),
                  "the expression has another type than the view: write real(0.5) or 1, not 0.5 or 1.0; xt::square(x) "
                  "or xt::pow(x, real(2)), not xt::pow(x, 2)");
    bool dense = true, one_row = true;
    for (const View<T, N>& target : to) {
      const Operands<T, N> operands(target, e...);
      dense &= operands.dense, one_row &= operands.one_row;
      if constexpr (K > 1) {
        if (target.shape() != to[0].shape()) fail_shape(place(target), place(to[0]));
        for (const View<T, N>& other : to)
          if (&other != &target) require_apart(place(other), place(target));
      }
    }
    const Shape<N>& shape = to[0].shape();
    if (to[0].empty()) return;
    if (!dense) return write_numbers(to, op, numbers<N>(e)...);
    std::array<T*, K> start;
    if constexpr (N == 1) {
      for (size_t k = 0; k < K; ++k) start[k] = to[k].data();
      write_rows(start, shape[0], op, row<1>(e, {}, shape[0])...);
    } else if (one_row) {
      for (size_t k = 0; k < K; ++k) start[k] = to[k].data();
      write_rows(start, to[0].size(), op, row<N>(e, {}, to[0].size())...);
    } else {
      Index<N> index{};
      do {
        for (size_t k = 0; k < K; ++k) {
          start[k] = to[k].data();
          for (size_t axis = 0; axis + 1 < N; ++axis) start[k] += index[axis] * to[k].stride(axis);
        }
        write_rows(start, shape[N - 1], op, row<N>(e, index, shape[N - 1])...);
      } while (next<N>(index, shape));
    }
  }
}

}  // namespace rowwise

/// Several expressions for as many views, inside an assignment: noalias(a, b) = together(x, y).
template <class... E>
struct Together {
  std::tuple<const E&...> expressions;
};
template <class... E>
CRIA_INLINE Together<E...> together(const xt::xexpression<E>&... e) {
  return {{e.derived_cast()...}};
}

/// The right to write through views: noalias(y) = e, += e, -= e, *= e, /= e. The numbers of e are computed and stored
/// one after the other, so no operand may overlap the target; but the target itself may be an operand. Of several views
/// the numbers at one place are all computed before the first is stored.
template <class T, size_t N, size_t K>
class Target {
 public:
  explicit CRIA_INLINE Target(const std::array<View<T, N>, K>& to) : to_(to) {}

  template <class E>
  CRIA_INLINE void operator=(const E& e) const {
    if constexpr (rowwise::WritesItself<E, View<T, N>>)
      e.write_to(to_[0], false);
    else
      write(e, rowwise::Assign{});  // named, so that write_rows knows it
  }
  template <class E>
  CRIA_INLINE void operator+=(const E& e) const {
    if constexpr (rowwise::WritesItself<E, View<T, N>>)
      e.write_to(to_[0], true);
    else
      write(
          e, [](T & a, T b) __attribute__((always_inline)) { a += b; });
  }
  template <class E>
  CRIA_INLINE void operator-=(const E& e) const {
    write(
        e, [](T & a, T b) __attribute__((always_inline)) { a -= b; });
  }
  template <class E>
  CRIA_INLINE void operator*=(const E& e) const {
    write(
        e, [](T & a, T b) __attribute__((always_inline)) { a *= b; });
  }
  template <class E>
  CRIA_INLINE void operator/=(const E& e) const {
    write(
        e, [](T & a, T b) __attribute__((always_inline)) { a /= b; });
  }

 private:
  template <class E, class Op>
  CRIA_INLINE void write(const xt::xexpression<E>& e, Op op) const {
    rowwise::write(to_, op, e.derived_cast());
  }
  template <class... E, class Op>
  CRIA_INLINE void write(const Together<E...>& e, Op op) const {
    rowwise::unpack(
        e.expressions, [&](const auto&... each) __attribute__((always_inline)) { rowwise::write(to_, op, each...); });
  }
  template <class Op>
  CRIA_INLINE void write(T number, Op op) const {
    rowwise::write(to_, op, xt::xscalar<T>(number));
  }
  template <rowwise::WritesItself<View<T, N>> E, class Op>
  void write(const E&, Op) const {
    static_assert(!sizeof(E), "a product can be set or added: = or +=");
  }

  const std::array<View<T, N>, K> to_;
};
// By value: so it is a better match than xtensor's noalias, which argument-dependent lookup finds as well.
template <class T, size_t N, std::same_as<View<T, N>>... More>
CRIA_INLINE Target<T, N, 1 + sizeof...(More)> noalias(View<T, N> to, More... more) {
  static_assert(!std::is_const_v<T>, "noalias: this view is read-only");
  return Target<T, N, 1 + sizeof...(More)>({to, more...});
}

}  // namespace cria
