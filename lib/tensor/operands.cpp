#include "lib/tensor/operands.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace cria::rowwise {
namespace {

/// Whether two places whose axes have the same strides, each wide enough for all inside it, have an element in common.
/// `distance` is the second's address less the first's, in elements: the indices of a common element differ by q along
/// an axis, and what is left of the distance is that of the axes inside.
bool meet(const size_t* first, const size_t* second, std::span<const size_t> strides, std::ptrdiff_t distance) {
  if (strides.empty()) return distance == 0;
  const auto stride = static_cast<std::ptrdiff_t>(strides[0]);
  if (stride == 0) return meet(first + 1, second + 1, strides.subspan(1), distance);  // length 1 in both
  const std::ptrdiff_t below = distance / stride - (distance % stride < 0);
  for (const std::ptrdiff_t q : {below, below + 1})
    if (q < static_cast<std::ptrdiff_t>(first[0]) && -q < static_cast<std::ptrdiff_t>(second[0]) &&
        meet(first + 1, second + 1, strides.subspan(1), distance - q * stride))
      return true;
  return false;
}

bool nested(const AnyPlace& p) {
  size_t inside = 1;
  for (size_t axis = p.shape.size(); axis-- > 0;) {
    if (p.shape[axis] == 1) continue;
    if (p.strides[axis] < inside) return false;
    inside = p.strides[axis] * p.shape[axis];
  }
  return true;
}

const char* end(const AnyPlace& p) {
  const char* last = p.data;
  for (size_t axis = 0; axis < p.shape.size(); ++axis) last += (p.shape[axis] - 1) * p.strides[axis] * p.element_size;
  return last + p.element_size;
}

bool empty(const AnyPlace& p) { return std::ranges::find(p.shape, size_t(0)) != p.shape.end(); }

}  // namespace

void fail_shape_of(const AnyPlace& operand, const AnyPlace& target) {
  throw ContractError(fmt::format("an operand of shape {} does not fit where {} is written", shape_text(operand.shape),
                                  shape_text(target.shape)));
}

void fail_lengths(size_t x, size_t y) {
  throw ContractError(fmt::format("dot: ({}) and ({}) have different lengths", x, y));
}

void fail_gaps() { throw ContractError("one number is formed of rows without gaps only"); }

void require_places_apart(const AnyPlace& operand, const AnyPlace& target) {
  if (empty(operand) || empty(target) || end(operand) <= target.data || end(target) <= operand.data) return;
  // Two parts of one matrix, such as some of its columns and others, are told apart exactly.
  if (operand.element_size == target.element_size && std::ranges::equal(operand.strides, target.strides) &&
      nested(operand) && nested(target)) {
    const std::ptrdiff_t bytes = operand.data - target.data, element = static_cast<std::ptrdiff_t>(target.element_size);
    if (bytes % element == 0 && !meet(target.shape.data(), operand.shape.data(), target.strides, bytes / element))
      return;
  }
  throw ContractError(
      fmt::format("an operand of shape {} overlaps what is written, of shape {}: it would be read after it was changed",
                  shape_text(operand.shape), shape_text(target.shape)));
}

}  // namespace cria::rowwise
