#include "lib/tensor/weight.hpp"

#include <algorithm>

#include "lib/simd/workspace.hpp"
#include "lib/tensor/assign.hpp"
#include "lib/tensor/product.hpp"

namespace cria {

Weight Weight::rows(Range range) const {
  Weight part = *this;
  part.first_ += range.begin;
  if (!is_packed()) {
    part.numbers_ = numbers_.rows(range);
    return part;
  }
  require(range.begin <= range.end && range.end <= packed_.rows, "Weight::rows", "there are no such rows");
  part.packed_.first += range.begin;
  part.packed_.rows = range.size();
  return part;
}

Weight Weight::with(const Addition& addition) const {
  Weight weight = *this;
  weight.addition_ = &addition;
  weight.first_ = 0;
  return weight;
}

void Weight::add_forward(View<const real, 2> x, View<real, 2> y, Rows rows) const {
  if (!addition_) return;
  const size_t N = x.shape(0), at_once = rows == Rows::apart ? 1 : N;
  for (size_t n = 0; n < N; n += at_once)
    addition_->forward(x.rows(n, n + at_once), {first_, first_ + shape(0)}, y.rows(n, n + at_once));
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

void multiply_packed(View<const real, 2> x, const Weight& weight, View<real, 2> y, const RoundedRows& rounded,
                     Rows rows) {
  const simd::PackedRows& w = weight.packed();
  require(rounded.empty() || rounded.shape() == x.shape(), "multiply_packed", "the rounded rows are not those of x");
  require_shape("multiply_packed: x", x, Shape<2>{x.shape(0), w.columns});
  require_shape("multiply_packed: y", y, Shape<2>{x.shape(0), w.rows});
  require(x.stride(1) <= 1 && y.stride(1) <= 1, "multiply_packed", "the rows must not have gaps");
  simd::multiply_packed(w, x.shape(0), x.data(), x.stride(0), y.data(), y.stride(0), rounded.rows(),
                        rows == Rows::apart);
}

void multiply_packed_back(View<const real, 2> d_y, const Weight& weight, View<real, 2> d_x) {
  const auto [M, K] = weight.shape();
  require_shape("multiply_packed_back: d_y", d_y, Shape<2>{d_x.shape(0), M});
  require_shape("multiply_packed_back: d_x", d_x, Shape<2>{d_x.shape(0), K});
  constexpr size_t together = 64;  // rows that stay in the nearest caches until they have been used
  real* memory = static_cast<real*>(simd::workspace(together * K * sizeof(real), simd::WorkspaceUse::widened_weights));
  for (size_t begin = 0; begin < M; begin += together) {
    const Range rows = {begin, std::min(begin + together, M)};
    const View<real, 2> unpacked(memory, {rows.size(), K});
    for (size_t m = rows.begin; m < rows.end; ++m) unpack_row(weight, m, unpacked[m - begin]);
    noalias(d_x) += matmul(d_y.columns(rows), unpacked);
  }
}

void unpack_row(const Weight& weight, size_t row, View<real, 1> to) {
  require_shape("unpack_row", to, Shape<1>{weight.packed().columns});
  require(row < weight.packed().rows && to.stride(0) <= 1, "unpack_row", "there is no such row, or it has gaps");
  simd::unpack_row(weight.packed(), row, to.data());
}

}  // namespace cria
