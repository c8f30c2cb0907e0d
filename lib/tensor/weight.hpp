// Weight: a matrix that is only read, whose numbers are `real` or packed as a file stores them.
//
// Products do not ask which. What is trained is no Weight but a View: only that can be written.
#pragma once

#include "lib/base/check.hpp"
#include "lib/base/view.hpp"
#include "lib/simd/packed.hpp"

namespace cria {

class Weight {
 public:
  Weight() = default;
  explicit Weight(const View<const real, 2>& numbers) : numbers_(numbers) {}
  explicit Weight(const simd::PackedRows& packed) : packed_(packed) {}

  bool is_packed() const { return packed_.data != nullptr; }
  Shape<2> shape() const { return is_packed() ? Shape<2>{packed_.rows, packed_.columns} : numbers_.shape(); }
  size_t shape(size_t axis) const { return shape()[axis]; }

  /// The rows begin … end - 1.
  Weight rows(Range range) const;

  /// The numbers, where they are not packed.
  const View<const real, 2>& numbers() const { return numbers_; }
  const simd::PackedRows& packed() const { return packed_; }

 private:
  View<const real, 2> numbers_;
  simd::PackedRows packed_;
};

/// y = x Wᵀ for packed weights W (M, K), x (N, K) and y (N, M), whose rows may be apart by more than their width.
/// Throws a ContractError when shapes do not fit.
void multiply_packed(View<const real, 2> x, const Weight& weight, View<real, 2> y);

/// The numbers of a row of packed weights.
void unpack_row(const Weight& weight, size_t row, View<real, 1> to);

}  // namespace cria
