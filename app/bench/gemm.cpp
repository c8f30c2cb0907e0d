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

/// What a product is for decides how its operands are stored: y = x Wᵀ, dx = dy W, dW = dyᵀ x.
enum class Kind { forward, input_gradient, weight_gradient };

struct Operands {
  RandomNumbers a, b, c;
  simd::Matrix left, right;

  Operands(Kind kind, size_t m, size_t n, size_t k)
      : a(m * k), b(n * k), c(m * n), left{a.data(), k}, right{b.data(), n} {
    if (kind == Kind::forward) right = simd::Matrix{b.data(), k}.transposed();
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
          machine.together(threads,
                           [&](const Team& team) { divided_gemm(team, m, n, k, o.left, o.right, o.c.data()); });
        };
      };
      cases.push_back(c);
      if (const OtherGemm* other = setting.other) {
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
