// The matrix product on every target of this machine, against the same sum in wider arithmetic: every pair of layouts,
// sizes that are no multiple of anything. Bound: a sum of n products is off by at most n eps Σ|x||y| in any order
// (Higham 2002, section 3.1).
#include "tests/lib/simd_testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

/// A matrix in memory of its own, in one of four layouts: rows, columns, rows with gaps, and no stride of 1 at all.
struct Stored {
  Stored(size_t rows, size_t columns, int layout, std::uint64_t seed)
      : row_stride(layout == 0   ? columns
                   : layout == 1 ? 1
                   : layout == 2 ? columns + 5
                                 : 3),
        column_stride(layout == 1   ? rows
                      : layout == 3 ? 3 * rows + 1
                                    : 1),
        numbers(rows * row_stride + columns * column_stride, seed) {}
  simd::Matrix matrix() { return {numbers.data(), row_stride, column_stride}; }
  wide operator()(size_t i, size_t j) const { return numbers[i * row_stride + j * column_stride]; }

  size_t row_stride, column_stride;
  Guarded numbers;
};

void check_product(size_t m, size_t n, size_t k, int a_layout, int b_layout, bool accumulate, size_t gap) {
  INFO(m << " x " << n << " x " << k << ", layouts " << a_layout << b_layout << ", accumulate " << accumulate);
  Stored a(m, k, a_layout, 3), b(k, n, b_layout, 4);
  Guarded c(m * (n + gap), 5);
  const Guarded old = c;
  simd::gemm(m, n, k, a.matrix(), b.matrix(), c.data(), n + gap, accumulate);
  Worst worst;
  size_t touched = 0;
  for (size_t i = 0; i < m; ++i)
    for (size_t j = 0; j < n + gap; ++j) {
      const size_t at = i * (n + gap) + j;
      if (j >= n) {
        touched += c[at] != old[at];
        continue;
      }
      wide sum = accumulate ? wide(old[at]) : 0, size = std::abs(sum);
      for (size_t p = 0; p < k; ++p) sum += a(i, p) * b(p, j), size += std::abs(a(i, p) * b(p, j));
      worst.see(c[at], sum, (k + 1) * eps * size);
    }
  REQUIRE(worst.ratio <= 1);
  REQUIRE(touched == 0);
  REQUIRE(c.intact());
}

}  // namespace

TEST_CASE("gemm agrees with wider arithmetic in every layout, accumulating or not") {
  on_every_target([] {
    const size_t odd[] = {0, 1, 2, 5, 12, 13, 17, 33, 47};
    for (int layouts = 0; layouts < 16; ++layouts)
      for (size_t m : odd)
        for (size_t n : odd)
          for (size_t k : odd) check_product(m, n, k, layouts % 4, layouts / 4, (m + n + k) % 2, (m + n) % 3);
  });
}

TEST_CASE("gemm agrees with wider arithmetic across the borders of its blocks") {
  on_every_target([] {
    for (int layouts = 0; layouts < 16; ++layouts) {
      check_product(173, 70, 401, layouts % 4, layouts / 4, true, 2);
      for (size_t m = 1; m <= 5; ++m) check_product(m, 403, 129, layouts % 4, layouts / 4, layouts % 3 == 0, 0);
      check_product(300, 1, 65, layouts % 4, layouts / 4, layouts % 3 == 0, 3);
      check_product(3, 1400, 50, layouts % 4, layouts / 4, false, 1);
    }
    check_product(7, 2900, 800, 0, 1, false, 0);
    check_product(50, 40, 390, 0, 1, true, 0);
    // Packed A, by columns 4 KiB apart, with several blocks of B and k.
    check_product(1024, 20, 300, 1, 0, true, 0);
    check_product(200, 260, 400, 0, 0, false, 0);
    check_product(30, 500, 1100, 0, 1, true, 1);
    check_product(60, 490, 400, 3, 1, true, 0);
  });
}

TEST_CASE("gemm agrees with wider arithmetic for few rows and few columns, however deep") {
  on_every_target([] {
    for (size_t m = 1; m <= 9; ++m)
      for (size_t n : {1, 4, 7, 8, 9, 15, 16, 24, 40, 48, 56, 100})
        for (size_t k : {3, 8, 48, 258}) {
          check_product(m, n, k, 0, 0, (m + n) % 2, 1);
          check_product(m, n, k, 0, 1, (m + n) % 2, 0);
        }
    check_product(1, 8, 4100, 2, 2, false, 0);
    check_product(900, 8, 40, 1, 0, true, 24);
    check_product(1100, 56, 33, 1, 2, true, 0);  // too many rows to read B where it is
  });
}

TEST_CASE("gemm gives the same bits however its rows and columns are divided") {
  on_every_target([] {
    const size_t m = 61, n = 131, k = 500;
    for (int layouts = 0; layouts < 4; ++layouts) {
      Stored a(m, k, layouts % 2, 6), b(k, n, layouts / 2, 7);
      std::vector<real> whole(m * n), parts(m * n);
      simd::gemm(m, n, k, a.matrix(), b.matrix(), whole.data(), n);
      for (size_t rows : {5, 16, 40})
        for (size_t columns : {1, 7, 32, 100}) {
          for (size_t i = 0; i < m; i += rows)
            for (size_t j = 0; j < n; j += columns) {
              const size_t height = i + rows + 4 >= m ? m - i : rows;  // no part of four rows or fewer
              const simd::Matrix left{a.matrix().data + i * a.row_stride, a.row_stride, a.column_stride};
              const simd::Matrix right{b.matrix().data + j * b.column_stride, b.row_stride, b.column_stride};
              if (i + 4 < m) simd::gemm(height, std::min(columns, n - j), k, left, right, parts.data() + i * n + j, n);
            }
          REQUIRE(parts == whole);
        }
    }
  });
}

TEST_CASE("a product of few rows has the same bits however its columns are divided") {
  on_every_target([] {
    const size_t n = 211, k = 500;
    for (size_t m = 1; m <= 4; ++m)
      for (int layout : {0, 1}) {
        Stored a(m, k, 0, 6), b(k, n, layout, 7);
        std::vector<real> whole(m * n), parts(m * n);
        simd::gemm(m, n, k, a.matrix(), b.matrix(), whole.data(), n);
        for (size_t columns : {16, 48, 112}) {
          for (size_t j = 0; j < n; j += columns) {
            const simd::Matrix right{b.matrix().data + j * b.column_stride, b.row_stride, b.column_stride};
            simd::gemm(m, std::min(columns, n - j), k, a.matrix(), right, parts.data() + j, n);
          }
          REQUIRE(parts == whole);
        }
      }
  });
}

TEST_CASE("a product of each row has the bits of that row alone, whatever stands beside it") {
  on_every_target([] {
    for (size_t k : {0, 1, 15, 16, 40, 64, 96, 129, 500, 2100})
      for (size_t n : {1, 16, 35, 211})
        for (size_t m : {1, 2, 3, 4, 5, 17, 32}) {
          INFO(m << " x " << n << " x " << k);
          Stored x(m, k, 2, 6), w(n, k, 2, 7);
          Guarded y(m * (n + 3), 8);
          simd::multiply_each_row(m, n, k, x.numbers.data(), x.row_stride, w.numbers.data(), w.row_stride, y.data(),
                                  n + 3);
          std::vector<real> alone(n);
          size_t differing = 0;
          for (size_t i = 0; i < m; ++i) {
            const simd::Matrix row{x.numbers.data() + i * x.row_stride, x.row_stride};
            simd::gemm(1, n, k, row, w.matrix().transposed(), alone.data(), n);
            for (size_t j = 0; j < n; ++j) differing += alone[j] != y[i * (n + 3) + j];
          }
          REQUIRE(differing == 0);
          REQUIRE(y.intact());
        }
  });
}
