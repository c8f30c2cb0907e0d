// Weight: a matrix that is only read, whose numbers are `real` or packed as a file stores them.
//
// Products do not ask which. What is trained is no Weight but a View: only that can be written. A weight may carry an
// addition, which is how an adapter gets into a model whose wiring knows nothing of it.
#pragma once

#include "lib/base/check.hpp"
#include "lib/base/view.hpp"
#include "lib/simd/packed.hpp"
#include "lib/tensor/product.hpp"

namespace cria {

/// What is added to a product with a weight: y = x Wᵀ + addition(x). It may have the product read something else than
/// x, too: y = input(x) Wᵀ + addition(x).
class Addition {
 public:
  virtual ~Addition() = default;
  /// y += the outputs `outputs` of the addition. Several threads may call it at once, each for outputs of its own.
  virtual void forward(View<const real, 2> x,       // (N, K)
                       Range outputs,               // of M
                       View<real, 2> y) const = 0;  // (N, outputs)
  /// d_x += its gradient, unless d_x is empty; and the same for its own parameters, if they learn, where it keeps it.
  virtual void backward(View<const real, 2> d_y,       // (N, M)
                        View<const real, 2> x,         // (N, K)
                        View<real, 2> d_x) const = 0;  // (N, K)

  virtual bool changes_input() const { return false; }
  /// to = input(x), where it changes it. Several threads may call it at once.
  virtual void input_forward(View<const real, 2>,     // (N, K) x
                             View<real, 2>) const {}  // (N, K) to
  /// d_x += its gradient, unless d_x is empty; and the same for its own parameters.
  virtual void input_backward(View<const real, 2>,     // (N, K) of what the product read
                              View<const real, 2>,     // (N, K) x
                              View<real, 2>) const {}  // (N, K) d_x
};

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

  /// The same numbers with an addition, which must outlive it.
  Weight with(const Addition& addition) const;
  bool has_addition() const { return addition_ != nullptr; }
  /// Whether a product with it reads something else than x, because of its addition.
  bool changes_input() const { return addition_ && addition_->changes_input(); }
  const Addition* addition() const { return addition_; }
  /// y += the addition's part, if there is one; with Rows::apart in each row the bits that it has alone.
  void add_forward(View<const real, 2> x, View<real, 2> y, Rows rows = Rows::together) const;
  /// Of all of its rows.
  void add_backward(View<const real, 2> d_y, View<const real, 2> x, View<real, 2> d_x) const {
    if (addition_) addition_->backward(d_y, x, d_x);
  }

  /// The numbers, where they are not packed.
  const View<const real, 2>& numbers() const { return numbers_; }
  const simd::PackedRows& packed() const { return packed_; }

 private:
  View<const real, 2> numbers_;
  simd::PackedRows packed_;
  const Addition* addition_ = nullptr;
  size_t first_ = 0;  // the addition's output for the first row
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
void multiply_packed(View<const real, 2> x, const Weight& weight, View<real, 2> y, const RoundedRows& rounded = {},
                     Rows rows = Rows::together);

/// d_x += d_y W for packed weights W (M, K), with the numbers that they stand for; d_y (N, M) and d_x (N, K).
void multiply_packed_back(View<const real, 2> d_y, const Weight& weight, View<real, 2> d_x);

/// The numbers of a row of packed weights.
void unpack_row(const Weight& weight, size_t row, View<real, 1> to);

}  // namespace cria
