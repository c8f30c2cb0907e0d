// The matrix products of training and decoding, divided among threads as these divide them; another library's beside.
#include <fmt/format.h>

#include "app/bench/sections.hpp"
#include "lib/simd/primitives.hpp"

namespace cria::bench {
namespace {

/// Rows or columns of C for each thread: a row is a position, and few positions are a prompt's end or a single token.
void divided_gemm(const Team& team, size_t m, size_t n, size_t k, simd::Matrix a, simd::Matrix b, real* c) {
  constexpr size_t grain = 16;
  if (m >= grain * team.size()) {
    const Range rows = team.share(m, grain);
    a.data += rows.begin * a.row_stride;
    simd::gemm(rows.size(), n, k, a, b, c + rows.begin * n, n);
  } else {
    const Range columns = team.share(n, grain);
    b.data += columns.begin * b.column_stride;
    simd::gemm(m, columns.size(), k, a, b, c + columns.begin, n);
  }
}

/// The same for y = x Wᵀ with rows that do not depend on each other, as texts are served: columns for each thread, so
/// that each row of W is read by one.
void divided_rows_apart(const Team& team, size_t m, size_t n, size_t k, simd::Matrix x, simd::Matrix w, real* y) {
  const Range columns = team.share(n, 16);
  simd::multiply_each_row(m, columns.size(), k, x.data, x.row_stride, w.data + columns.begin * w.column_stride,
                          w.column_stride, y + columns.begin, n);
}

/// What a product is for decides how its operands are stored: y = x Wᵀ, dx = dy W, dW = dyᵀ x.
enum class Kind { forward, rows_apart, input_gradient, weight_gradient };

struct Operands {
  RandomNumbers a, b, c;
  simd::Matrix left, right;

  Operands(Kind kind, size_t m, size_t n, size_t k)
      : a(m * k), b(n * k), c(m * n), left{a.data(), k}, right{b.data(), n} {
    if (kind == Kind::forward || kind == Kind::rows_apart) right = simd::Matrix{b.data(), k}.transposed();
    if (kind == Kind::weight_gradient) left = simd::Matrix{a.data(), m}.transposed();
  }
};

}  // namespace

std::vector<Case> gemm_cases(const Setting& setting) {
  struct Product {
    const char* name;
    Kind kind;
    size_t m, n, k;
  };
  constexpr Product products[] = {
      {"gemm", Kind::forward, 512, 288, 288},
      {"gemm", Kind::forward, 512, 768, 768},
      {"gemm", Kind::forward, 2048, 768, 288},
      {"gemm", Kind::forward, 2048, 2048, 768},
      {"gemm dX", Kind::input_gradient, 2048, 288, 768},
      {"gemm dW", Kind::weight_gradient, 2048, 768, 2048},
      {"gemm", Kind::forward, 2048, 64, 64},
      {"gemm", Kind::forward, 1, 2048, 768},
      {"gemm rows apart", Kind::rows_apart, 512, 768, 768},
      // 50 MB, as weights that come from memory: what a draft's guesses cost.
      {"gemm rows apart", Kind::rows_apart, 1, 16384, 768},
      {"gemm rows apart", Kind::rows_apart, 2, 16384, 768},
      {"gemm rows apart", Kind::rows_apart, 3, 16384, 768},
      {"gemm rows apart", Kind::rows_apart, 4, 16384, 768},
      {"gemm rows apart", Kind::rows_apart, 5, 16384, 768},
  };
  std::vector<Case> cases;
  for (const Product& p : products)
    for (const size_t threads : setting.thread_counts) {
      const char* name = p.name;
      const auto kind = p.kind;  // by themselves: clang 14 captures no bindings
      const size_t m = p.m, n = p.n, k = p.k;
      const size_t bytes = (m * k + n * k + m * n) * sizeof(real);
      const double operations = 2.0 * double(m) * double(n) * double(k);
      Case c = {.name = name,
                .shape = fmt::format("{}x{}x{}", m, n, k),
                .target = setting.target,
                .threads = threads,
                .unit = "GFLOP/s",
                .amount = operations * 1e-9,
                .work = {operations, double(bytes), bytes}};
      const Machine& machine = setting.machine;
      c.prepare = [=, &machine] {
        return [=, &machine, o = Operands(kind, m, n, k)] {
          const auto product = kind == Kind::rows_apart ? divided_rows_apart : divided_gemm;
          machine.together(threads, [&](const Team& team) { product(team, m, n, k, o.left, o.right, o.c.data()); });
        };
      };
      cases.push_back(c);
      if (const OtherGemm* other = setting.other; other && kind != Kind::rows_apart) {
        c.name += " " + other->name();
        // OpenBLAS's threads look for more work for some 20 ms, libgomp's for some less.
        if (threads > 1) c.pause = std::chrono::milliseconds(50);
        c.prepare = [=] {
          return [=, o = Operands(kind, m, n, k)] {
            other->set_threads(threads);
            (*other)(m, n, k, o.left, o.right, o.c.data(), n);
          };
        };
        cases.push_back(std::move(c));
      }
    }
  return cases;
}

}  // namespace cria::bench
