// The primitives in plain C++: what they mean, and what runs where no better target exists.
#include <algorithm>
#include <cmath>

#include "lib/simd/targets.hpp"

namespace cria::simd::portable {
namespace {

real dot(const real* x, const real* y, size_t n) {
  real sum = 0;
  // Lets the compiler form several partial sums; without it the order of a float sum is fixed and nothing is
  // vectorised.
#pragma omp simd reduction(+ : sum)
  for (size_t i = 0; i < n; ++i) sum += x[i] * y[i];
  return sum;
}

void axpy(real a, const real* x, real* y, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] += a * x[i];
}

void gemm(size_t m, size_t n, size_t k, Matrix a, Matrix b, real* c, size_t c_stride, bool accumulate) {
  const auto at = [](const Matrix& x, size_t i, size_t j) { return x.data[i * x.row_stride + j * x.column_stride]; };
  for (size_t i = 0; i < m; ++i) {
    real* row = c + i * c_stride;
    if (!accumulate) std::fill_n(row, n, real(0));
    if (b.column_stride == 1) {
      // Row i of C is the sum of B's rows, weighted by A's row i.
      for (size_t p = 0; p < k; ++p) axpy(at(a, i, p), b.data + p * b.row_stride, row, n);
    } else if (b.row_stride == 1 && a.column_stride == 1) {
      for (size_t j = 0; j < n; ++j) row[j] += dot(a.data + i * a.row_stride, b.data + j * b.column_stride, k);
    } else {
      for (size_t j = 0; j < n; ++j)
        for (size_t p = 0; p < k; ++p) row[j] += at(a, i, p) * at(b, p, j);
    }
  }
}

void multiply_each_row(size_t m, size_t n, size_t k, const real* x, size_t x_stride, const real* w, size_t w_stride,
                       real* y, size_t y_stride) {
  portable::gemm(m, n, k, {x, x_stride}, Matrix{w, w_stride}.transposed(), y, y_stride,
                 false);  // whose rows know of no other
}

void exp(const real* x, real factor, real offset, real* y, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] = std::exp(factor * x[i] + offset);
}

void sigmoid(const real* x, real factor, real offset, real* y, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] = 1 / (1 + std::exp(-(factor * x[i] + offset)));
}

real softmax(real* x, size_t n) {
  if (n == 0) return 0;
  const real largest = *std::max_element(x, x + n);
  real sum = 0;
  for (size_t i = 0; i < n; ++i) sum += x[i] = std::exp(x[i] - largest);
  for (size_t i = 0; i < n; ++i) x[i] /= sum;
  return largest + std::log(sum);
}

}  // namespace

const Primitives& primitives() {
  static const Primitives table = {
      "portable", dot,    axpy, gemm, multiply_each_row, softmax, exp, sigmoid, widen, widen, widen,
      narrow,     narrow, dot,  dot,  packed_kernels()};
  return table;
}

}  // namespace cria::simd::portable
