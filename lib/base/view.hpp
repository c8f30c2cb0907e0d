// View<T, N>: an N-dimensional window on memory that somebody else owns. It is what every chapter takes and gives.
//
// A view is a pointer, a shape and strides (in elements), so it is passed by value. Constness is in T, as with
// std::span: a View<const real, 2> cannot be written through. It knows no arithmetic: array(view), in xtensor.hpp,
// turns it into an xtensor for that, without copying.
#pragma once

#include <array>
#include <cassert>
#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>

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
  Range operator*(size_t factor) const { return {begin * factor, end * factor}; }
};

template <class T, size_t N>
class View {
 public:
  using value_type = std::remove_const_t<T>;

  View() = default;

  /// Row-major and without gaps.
  View(T* data, Shape<N> shape) : data_(data), shape_(shape) {
    size_t stride = 1;
    for (size_t axis = N; axis-- > 0; stride *= shape[axis]) strides_[axis] = stride;
  }
  View(T* data, Shape<N> shape, Shape<N> strides) : data_(data), shape_(shape), strides_(strides) {}

  /// A writable view serves where a read-only one is asked for.
  View(const View<value_type, N>& other) requires std::is_const_v<T>
      : data_(other.data()), shape_(other.shape()), strides_(other.strides()) {}
  View(const View&) = default;
  View& operator=(const View&) = default;

  T* data() const { return data_; }
  const Shape<N>& shape() const { return shape_; }
  size_t shape(size_t axis) const { return shape_[axis]; }
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

  template <std::convertible_to<size_t>... Index>
  requires(sizeof...(Index) == N) T& operator()(Index... index) const {
    size_t offset = 0, axis = 0;
    ((check_index(axis, static_cast<size_t>(index)), offset += static_cast<size_t>(index) * strides_[axis++]), ...);
    return data_[offset];
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
    Shape<N - 1> shape{}, strides{};
    for (size_t axis = 0, to = 0; axis < N; ++axis)
      if (axis != Axis) shape[to] = shape_[axis], strides[to++] = strides_[axis];
    return {data_ + index * strides_[Axis], shape, strides};
  }

  /// The rows begin … end - 1.
  View rows(size_t begin, size_t end) const { return slice<0>({begin, end}); }
  View rows(Range range) const { return slice<0>(range); }
  /// The same of the second axis; such a view has gaps between its rows.
  View columns(Range range) const requires(N > 1) { return slice<1>(range); }

  /// The same elements in another shape; the view must be contiguous and the counts must agree.
  template <size_t M>
  View<T, M> reshape(Shape<M> shape) const {
    assert(contiguous() && element_count(shape) == size());
    return {data_, shape};
  }
  View<T, 1> flat() const { return reshape(Shape<1>{size()}); }

  std::span<T> span() const {
    assert(contiguous());
    return {data_, size()};
  }

 private:
  template <size_t Axis>
  View slice(Range range) const {
    assert(range.begin <= range.end && range.end <= shape_[Axis]);
    Shape<N> shape = shape_;
    shape[Axis] = range.size();
    return {data_ + range.begin * strides_[Axis], shape, strides_};
  }

  void check_index([[maybe_unused]] size_t axis, [[maybe_unused]] size_t index) const {
#ifdef CRIA_ASSERT
    if (index >= shape_[axis]) end_at_index(index, axis, shape_[axis]);
#endif
  }

  T* data_ = nullptr;
  Shape<N> shape_{};
  Shape<N> strides_{};
};

}  // namespace cria
