// The templates of testing.hpp.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace cria::testing {

/// Shape and values of a .npy file, as double.
struct NpyValues {
  std::vector<size_t> shape;
  std::vector<double> values;
};
NpyValues read_golden(const std::string& name);

/// "" or what differs first; the arrays are given as flat values in row-major order.
std::string describe_difference(const std::vector<double>& actual, const std::vector<double>& expected,
                                const std::vector<size_t>& shape, double tolerance);

/// relative_error() of flat values in row-major order.
RelativeError relative_error_of(const std::vector<double>& actual, const std::vector<double>& expected,
                                const std::vector<size_t>& shape);

template <size_t N>
Array<double, N> golden(const std::string& name) {
  const NpyValues npy = read_golden(name);
  require(npy.shape.size() == N, name.c_str(), "the golden has another number of dimensions than the test asks for");
  Shape<N> shape;
  std::copy(npy.shape.begin(), npy.shape.end(), shape.begin());
  Array<double, N> out(shape);
  std::copy(npy.values.begin(), npy.values.end(), out.begin());
  return out;
}

template <HasShape A, class E>
std::string difference(const A& actual, const E& expected, double tolerance) {
  const std::vector<size_t> shape(expected.shape().begin(), expected.shape().end());
  const std::vector<size_t> actual_shape(actual.shape().begin(), actual.shape().end());
  if (actual_shape != shape)
    return fmt::format("the shape is {}, expected {}", shape_text(actual_shape), shape_text(shape));
  return describe_difference({actual.begin(), actual.end()}, {expected.begin(), expected.end()}, shape, tolerance);
}

template <std::ranges::range A, class E>
requires(!HasShape<A>)
std::string difference(const A& actual, const E& expected, double tolerance) {
  if (actual.size() != expected.size())
    return fmt::format("there are {} numbers, expected {}", actual.size(), expected.size());
  return describe_difference({actual.begin(), actual.end()}, {expected.begin(), expected.end()}, {expected.size()},
                             tolerance);
}

template <class A, class E>
RelativeError relative_error(const A& actual, const E& expected) {
  const std::vector<size_t> shape(expected.shape().begin(), expected.shape().end());
  return relative_error_of({actual.begin(), actual.end()}, {expected.begin(), expected.end()}, shape);
}

}  // namespace cria::testing
