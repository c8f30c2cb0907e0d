// View<T, N>: an N-dimensional window on memory that somebody else owns. It is what every chapter takes and gives.
//
// A view is a pointer, a shape and strides (in elements), so it is passed by value. Constness is in T, as with
// std::span: a View<const real, 2> cannot be written through. It is an xtensor expression as well, so operators and
// functions of xtensor take it as it is. `a = b` points a at the memory of b; numbers are written by noalias(a) = b * c
// (lib/tensor/assign.hpp).
#pragma once

#include <array>
#include <cassert>
#include <concepts>
#include <cstddef>
#include <iterator>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include "lib/base/xtensor_core.hpp"

namespace cria {

using std::size_t;

/// Says on standard error which index is not in the view, and ends the program.
[[noreturn]] void end_at_index(size_t index, size_t axis, size_t length);

template <size_t N>
using Shape = std::array<size_t, N>;

template <size_t N>
constexpr size_t element_count(const Shape<N>& shape) {
  size_t count = 1;
  for (size_t extent : shape) count *= extent;
  return count;
}

/// The indices begin … end - 1.
struct Range {
  size_t begin = 0, end = 0;

  size_t size() const { return end - begin; }
  bool empty() const { return begin == end; }
  /// Of any integer, a negative one too.
  bool contains(std::integral auto index) const {
    return std::cmp_less_equal(begin, index) && std::cmp_less(index, end);
  }
  Range operator*(size_t factor) const { return {begin * factor, end * factor}; }
};

template <class T, size_t N>
class View;

/// A pointer, with the members that xtensor asks of a container's memory.
template <class T>
struct Memory {
  using allocator_type = std::allocator<std::remove_const_t<T>>;  // never used
  using value_type = std::remove_const_t<T>;
  using reference = T&;
  using const_reference = T&;
  using pointer = T*;
  using const_pointer = T*;
  using iterator = T*;
  using const_iterator = T*;
  using reverse_iterator = std::reverse_iterator<T*>;
  using const_reverse_iterator = std::reverse_iterator<T*>;
  using size_type = size_t;
  using difference_type = std::ptrdiff_t;

  T* at = nullptr;

  T* data() const { return at; }
  T* begin() const { return at; }
  T* cbegin() const { return at; }
  T& operator[](size_t i) const { return at[i]; }
};

}  // namespace cria

/// What xtensor asks about a container.
template <class T, std::size_t N>
struct xt::xcontainer_inner_types<cria::View<T, N>> {
  using storage_type = cria::Memory<T>;
  using reference = T&;
  using const_reference = T&;
  using size_type = std::size_t;
  using shape_type = std::array<std::size_t, N>;
  using strides_type = shape_type;
  using backstrides_type = shape_type;
  using inner_shape_type = shape_type;
  using inner_strides_type = shape_type;
  using inner_backstrides_type = shape_type;
  using temporary_type = xt::xtensor<std::remove_const_t<T>, N>;
  static constexpr xt::layout_type layout = xt::layout_type::dynamic;
};
template <class T, std::size_t N>
struct xt::xiterable_inner_types<cria::View<T, N>> : xt::xcontainer_iterable_types<cria::View<T, N>> {};

namespace cria {

template <class T, size_t N>
class View : public xt::xexpression<View<T, N>>, public xt::xcontainer<View<T, N>> {
 public:
  using value_type = std::remove_const_t<T>;
  using expression_tag = xt::xtensor_expression_tag;

  View() = default;

  /// Row-major and without gaps.
  View(T* data, Shape<N> shape) : memory_{data}, shape_(shape) {
    size_t stride = 1;
    for (size_t axis = N; axis-- > 0; stride *= shape[axis]) strides_[axis] = shape[axis] == 1 ? 0 : stride;
  }
  /// The first numbers of a span, which may be longer.
  View(std::span<T> memory, Shape<N> shape) : View(memory.data(), shape) { assert(memory.size() >= size()); }
  View(T* data, Shape<N> shape, Shape<N> strides) : memory_{data}, shape_(shape) {
    for (size_t axis = 0; axis < N; ++axis) strides_[axis] = shape[axis] == 1 ? 0 : strides[axis];
  }

  /// A writable view serves where a read-only one is asked for.
  template <std::same_as<value_type> U>
  requires std::is_const_v<T> View(const View<U, N>& other)
      : memory_{other.data()}, shape_(other.shape()), strides_(other.strides()) {}
  View(const View&) = default;
  /// Not of a temporary such as x[n]: x[n] = y[n] would change nothing. noalias(x[n]) = y[n] writes numbers.
  View& operator=(const View&) & = default;

  T* data() const { return memory_.at; }
  const Shape<N>& shape() const { return shape_; }
  size_t shape(size_t axis) const { return shape_[axis]; }
  /// In elements; 0 for an axis of length 1, as xtensor has it, so that the axis may be broadcast.
  const Shape<N>& strides() const { return strides_; }
  size_t stride(size_t axis) const { return strides_[axis]; }
  size_t size() const { return element_count(shape_); }
  bool empty() const { return size() == 0; }

  bool contiguous() const {
    size_t stride = 1;
    for (size_t axis = N; axis-- > 0; stride *= shape_[axis])
      if (shape_[axis] > 1 && strides_[axis] != stride) return false;
    return true;
  }

  // For xtensor.
  bool is_contiguous() const { return contiguous(); }
  xt::layout_type layout() const { return contiguous() ? xt::layout_type::row_major : xt::layout_type::dynamic; }
  Shape<N> backstrides() const {
    Shape<N> result;
    for (size_t axis = 0; axis < N; ++axis) result[axis] = shape_[axis] == 0 ? 0 : (shape_[axis] - 1) * strides_[axis];
    return result;
  }

  template <std::convertible_to<size_t>... Index>
  requires(sizeof...(Index) == N) T& operator()(Index... index) const {
    size_t offset = 0, axis = 0;
    ((check_index(axis, static_cast<size_t>(index)), offset += static_cast<size_t>(index) * strides_[axis++]), ...);
    return data()[offset];
  }

  /// view[i]: the i-th row, with one dimension less; for N = 1 the element.
  decltype(auto) operator[](size_t i) const {
    if constexpr (N == 1)
      return (*this)(i);
    else
      return at<0>(i);
  }

  /// Fixes the index of one axis: at<1>(h) of (T, H, D) is head h as (T, D).
  template <size_t Axis>
  requires(Axis<N && N> 1) View<T, N - 1> at(size_t index)
  const {
    check_index(Axis, index);
    View<T, N - 1> result;
    result.memory_ = {data() + index * strides_[Axis]};
    for (size_t axis = 0, to = 0; axis < N; ++axis)
      if (axis != Axis) result.shape_[to] = shape_[axis], result.strides_[to++] = strides_[axis];
    return result;
  }

  /// The rows begin … end - 1: a part of the first axis.
  View rows(size_t begin, size_t end) const { return slice<0>({begin, end}); }
  View rows(Range range) const { return slice<0>(range); }
  /// The same of a vector whose numbers are not one for each row.
  View part(Range range) const requires(N == 1) { return slice<0>(range); }
  /// The same of the second axis; such a view has gaps between its rows.
  View columns(Range range) const requires(N > 1) { return slice<1>(range); }

  /// The same elements with two axes exchanged.
  template <size_t A, size_t B>
  requires(A < N && B < N) View swapped()
  const {
    View result = *this;
    std::swap(result.shape_[A], result.shape_[B]);
    std::swap(result.strides_[A], result.strides_[B]);
    return result;
  }

  /// The same elements in another shape; the view must be contiguous and the counts must agree.
  template <size_t M>
  View<T, M> reshape(Shape<M> shape) const {
    assert(contiguous() && element_count(shape) == size());
    return {data(), shape};
  }
  View<T, 1> flat() const { return reshape(Shape<1>{size()}); }

  std::span<T> span() const {
    assert(contiguous());
    return {data(), size()};
  }

 private:
  friend class xt::xcontainer<View>;
  template <class, size_t>
  friend class View;

  template <size_t Axis>
  View slice(Range range) const {
    assert(range.begin <= range.end && range.end <= shape_[Axis]);
    View result = *this;
    result.memory_ = {data() + range.begin * strides_[Axis]};
    result.shape_[Axis] = range.size();
    if (range.size() == 1) result.strides_[Axis] = 0;
    return result;
  }

  void check_index([[maybe_unused]] size_t axis, [[maybe_unused]] size_t index) const {
#ifdef CRIA_ASSERT
    if (index >= shape_[axis]) end_at_index(index, axis, shape_[axis]);
#endif
  }

  Memory<T>& storage_impl() { return memory_; }
  const Memory<T>& storage_impl() const { return memory_; }
  const Shape<N>& shape_impl() const { return shape_; }
  const Shape<N>& strides_impl() const { return strides_; }

  Memory<T> memory_;
  Shape<N> shape_{}, strides_{};
};

}  // namespace cria
