#include "lib/tensor/weight.hpp"

namespace cria {

Weight Weight::rows(Range range) const {
  if (!is_packed()) return Weight(numbers_.rows(range));
  require(range.begin <= range.end && range.end <= packed_.rows, "Weight::rows", "there are no such rows");
  simd::PackedRows part = packed_;
  part.first += range.begin;
  part.rows = range.size();
  return Weight(part);
}

RoundedRows::RoundedRows(std::span<real> memory, const Shape<2>& shape) : shape_(shape) {
  require(size(shape[0], shape[1]) <= memory.size(), "RoundedRows", "the memory is too small");
  rows_ = simd::quantised_rows(memory.data(), shape[0], shape[1]);
}

size_t RoundedRows::size(size_t rows, size_t columns) {
  return (simd::quantised_bytes(rows, columns) + sizeof(real) - 1) / sizeof(real);
}

void RoundedRows::round(View<const real, 2> x, Range rows) const {
  require_shape("RoundedRows::round: x", x, shape_);
  require(x.stride(1) <= 1, "RoundedRows::round", "the rows must not have gaps");
  simd::quantise_rows(x.data(), x.stride(0), rows.begin, rows.size(), shape_[1], rows_);
}

void multiply_packed(View<const real, 2> x, const Weight& weight, View<real, 2> y, const RoundedRows& rounded) {
  const simd::PackedRows& w = weight.packed();
  require(rounded.empty() || rounded.shape() == x.shape(), "multiply_packed", "the rounded rows are not those of x");
  require_shape("multiply_packed: x", x, Shape<2>{x.shape(0), w.columns});
  require_shape("multiply_packed: y", y, Shape<2>{x.shape(0), w.rows});
  require(x.stride(1) <= 1 && y.stride(1) <= 1, "multiply_packed", "the rows must not have gaps");
  simd::multiply_packed(w, x.shape(0), x.data(), x.stride(0), y.data(), y.stride(0), rounded.rows());
}

void unpack_row(const Weight& weight, size_t row, View<real, 1> to) {
  require_shape("unpack_row", to, Shape<1>{weight.packed().columns});
  require(row < weight.packed().rows && to.stride(0) <= 1, "unpack_row", "there is no such row, or it has gaps");
  simd::unpack_row(weight.packed(), row, to.data());
}

}  // namespace cria
