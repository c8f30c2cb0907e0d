// What an expression may consist of, and the checks of its operands before it is written: their shapes, and that none
// overlaps the target.
#pragma once

#include <cstdint>
#include <tuple>

#include "lib/base/check.hpp"
#include "lib/base/xtensor.hpp"
#include "lib/tensor/column.hpp"
#include "lib/tensor/functions.hpp"

/// For what has to dissolve into the loop around it; compilers alone decide otherwise (clang most of all).
#define CRIA_INLINE inline __attribute__((always_inline))

namespace cria::rowwise {

/// std::apply, inlined.
template <class Use, class Tuple, size_t... i>
CRIA_INLINE decltype(auto) unpack(const Tuple& tuple, Use use, std::index_sequence<i...>) {
  return use(std::get<i>(tuple)...);
}
template <class Use, class... T>
CRIA_INLINE decltype(auto) unpack(const std::tuple<T...>& tuple, Use use) {
  return unpack(tuple, use, std::index_sequence_for<T...>());
}

template <class E>
constexpr bool supported = false;
template <class T, size_t N>
constexpr bool supported<View<T, N>> = true;
template <class EC, size_t N, class Tag>
constexpr bool supported<xt::xtensor_container<EC, N, xt::layout_type::row_major, Tag>> = true;
template <class T>
constexpr bool supported<Column<T>> = true;
template <class CT>
constexpr bool supported<xt::xscalar<CT>> = true;
template <class F, class... CT>
constexpr bool supported<xt::xfunction<F, CT...>> = (supported<std::decay_t<CT>> && ...);

/// The memory of a view: an address, and the shape and strides in elements.
template <size_t N>
struct Place {
  const void* data;
  Shape<N> shape, strides;
  size_t element_size;
};
template <class T, size_t N>
CRIA_INLINE Place<N> place(const View<T, N>& v) {
  return {v.data(), v.shape(), v.strides(), sizeof(T)};
}
struct AnyPlace {
  const char* data;
  std::span<const size_t> shape, strides;
  size_t element_size;

  template <size_t N>
  AnyPlace(const Place<N>& p)
      : data(static_cast<const char*>(p.data)), shape(p.shape), strides(p.strides), element_size(p.element_size) {}
};

/// Throw a ContractError that prints both shapes.
[[noreturn]] void fail_shape_of(const AnyPlace& operand, const AnyPlace& target);
[[noreturn]] void fail_lengths(size_t x, size_t y);
[[noreturn]] void fail_gaps();
/// … when an element of the operand is one of the target as well, at another place.
void require_places_apart(const AnyPlace& operand, const AnyPlace& target);

// By value: what is passed by address, if only where things go wrong, is kept in memory by compilers.
template <size_t M, size_t N>
[[noreturn]] __attribute__((noinline, cold)) void fail_shape(Place<M> operand, Place<N> target) {
  fail_shape_of(operand, target);
}
template <size_t M, size_t N>
__attribute__((noinline, cold)) void require_apart(Place<M> operand, Place<N> target) {
  require_places_apart(operand, target);
}

/// One behind the last element; of an empty view where it begins.
template <class T, size_t N>
CRIA_INLINE const T* end_of(const View<T, N>& v) {
  size_t size = 1;
  for (size_t axis = 0; axis < N; ++axis) {
    if (v.shape(axis) == 0) return v.data();
    size += (v.shape(axis) - 1) * v.stride(axis);
  }
  return v.data() + size;
}

/// The operands of expressions beside the view that they are written into.
template <class T, size_t N>
struct Operands {
  bool dense;    // all rows lie without gaps, and as long as the target's, and no number lies in the target
  bool one_row;  // everything can be taken as one long row

  template <class... E>
  CRIA_INLINE Operands(const View<T, N>& to, const E&... e)
      : dense(to.stride(N - 1) <= 1), one_row(to.contiguous()), to_(to), end_(end_of(to)) {
    (add(e), ...);
  }

 private:
  template <class U, size_t M>
  CRIA_INLINE void check(const View<U, M>& v) const {
    static_assert(M <= N, "an operand has more dimensions than the view that is written");
    for (size_t axis = 0; axis < M; ++axis)
      if (v.shape(axis) != to_.shape(N - M + axis) && v.shape(axis) != 1) fail_shape(place(v), place(to_));
    if (static_cast<const void*>(v.data()) < end_ && static_cast<const void*>(end_of(v)) > to_.data()) {
      bool same = false;
      if constexpr (M == N && std::is_same_v<std::remove_const_t<U>, T>)
        same = v.data() == to_.data() && v.shape() == to_.shape() && v.strides() == to_.strides();
      if (!same) require_apart(place(v), place(to_));
    }
  }

  template <class U, size_t M>
  CRIA_INLINE void add(const View<U, M>& v) {
    if constexpr (N == 1 && std::is_same_v<std::remove_const_t<U>, std::remove_const_t<T>>) {
      // Rows are short and come one by one, so the usual case costs a few instructions: as long as the target, without
      // gaps, and either the target itself or at least that far away.
      const size_t bytes = to_.shape(0) * sizeof(T);
      const size_t distance = reinterpret_cast<std::uintptr_t>(v.data()) - reinterpret_cast<std::uintptr_t>(to_.data());
      if (v.shape(0) == to_.shape(0) && v.stride(0) <= 1 && (distance == 0 || distance + bytes - 1 >= 2 * bytes - 1))
        return;
    }
    check(v);
    dense &= v.shape(M - 1) == to_.shape(N - 1) && v.stride(M - 1) <= 1;
    if constexpr (M == N)
      one_row &= v.shape() == to_.shape() && v.strides() == to_.strides();
    else
      one_row = false;
  }
  template <class EC, size_t M, xt::layout_type L, class Tag>
  CRIA_INLINE void add(const xt::xtensor_container<EC, M, L, Tag>& a) {
    add(view(a));
  }
  template <class U>
  CRIA_INLINE void add(const Column<U>& column) {
    static_assert(N >= 2, "a column belongs to a matrix");
    check(View<U, 2>(column.v.data(), {column.v.size(), 1}, {column.v.stride(0), 0}));
    one_row = false;
  }
  /// xtensor holds y(0, 0) in y / y(0, 0) by reference. Rows would read it one by one, when the first is written already;
  /// write_numbers takes a copy. (A single row does so anyway.)
  template <class CT>
  CRIA_INLINE void add(const xt::xscalar<CT>& number) {
    if constexpr (N > 1 && std::is_reference_v<CT>) {
      const void* const at = &number();
      dense &= at < to_.data() || at >= end_;
    }
  }
  template <class F, class... CT>
  CRIA_INLINE void add(const xt::xfunction<F, CT...>& e) {
    unpack(
        e.arguments(), [&](const auto&... operand) __attribute__((always_inline)) { (add(operand), ...); });
  }

  const View<T, N>& to_;
  const void* end_;
};

}  // namespace cria::rowwise
