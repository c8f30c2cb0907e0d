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
  /// Whether products round the activations to 8 bits.
  bool is_in_blocks() const { return is_packed() && simd::in_blocks(packed_.type); }
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

/// Activations (N, K) rounded to 8 bits, once for several products and by several threads together.
class RoundedRows {
 public:
  RoundedRows() = default;  // none: a product rounds for itself
  /// In memory of size(N, K) numbers; K is a multiple of 32.
  RoundedRows(std::span<real> memory, const Shape<2>& shape);
  static size_t size(size_t rows, size_t columns);

  /// Rounds these rows of x (N, K); each of them has to be, before a product.
  void round(View<const real, 2> x, Range rows) const;

  bool empty() const { return shape_[0] == 0; }
  const Shape<2>& shape() const { return shape_; }
  const simd::QuantisedRows& rows() const { return rows_; }

 private:
  Shape<2> shape_{};
  simd::QuantisedRows rows_;
};

/// y = x Wᵀ for packed weights W (M, K), x (N, K) and y (N, M), whose rows may be apart by more than their width; of
/// `rounded` x, where it is not empty and W is in blocks. Throws a ContractError when shapes do not fit.
void multiply_packed(View<const real, 2> x, const Weight& weight, View<real, 2> y, const RoundedRows& rounded = {});

/// The numbers of a row of packed weights.
void unpack_row(const Weight& weight, size_t row, View<real, 1> to);

}  // namespace cria
