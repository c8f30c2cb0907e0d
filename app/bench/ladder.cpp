// The ladder: one product, C = A B with three square matrices stored by rows, from three loops to the one that cria
// uses. docs/speed.md says what the hardware does on each rung. Compiled like everything else, without fast-math.
#include <fmt/format.h>

#include <array>

#include "app/bench/modes.hpp"
#include "app/bench/table.hpp"
#include "lib/simd/primitives.hpp"

namespace cria::bench {
namespace {

constexpr size_t n = 768;

struct Square {
  real* data;
  real* row(size_t i) const { return data + i * n; }
};

// ── 1: as the formula has it ────────────────────────────────────────────────────────────────────────────────────────

void three_loops(Square a, Square b, Square c) {
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) {
      real sum = 0;
      for (size_t p = 0; p < n; ++p) sum += a.row(i)[p] * b.row(p)[j];
      c.row(i)[j] = sum;
    }
}

// ── 2: B transposed, so that both operands are read along their rows ────────────────────────────────────────────────

void transpose_square(Square b, Square b_transposed) {
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) b_transposed.row(j)[i] = b.row(i)[j];
}

void dot_products(Square a, Square b_transposed, Square c) {
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) {
      real sum = 0;
      for (size_t p = 0; p < n; ++p) sum += a.row(i)[p] * b_transposed.row(j)[p];
      c.row(i)[j] = sum;
    }
}

// ── 3: the sum may be split into as many partial sums as a vector has places ────────────────────────────────────────

void vector_dot_products(Square a, Square b_transposed, Square c) {
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) {
      real sum = 0;
#pragma omp simd reduction(+ : sum)
      for (size_t p = 0; p < n; ++p) sum += a.row(i)[p] * b_transposed.row(j)[p];
      c.row(i)[j] = sum;
    }
}

// ── 4: the loops in another order: rows of B, added up to rows of C ─────────────────────────────────────────────────

void add_row(real factor, const real* __restrict from, real* __restrict to, size_t count) {
  for (size_t j = 0; j < count; ++j) to[j] += factor * from[j];
}

void rows_of_b(Square a, Square b, Square c) {
  for (size_t i = 0; i < n; ++i) {
    std::fill_n(c.row(i), n, real(0));
    for (size_t p = 0; p < n; ++p) add_row(a.row(i)[p], b.row(p), c.row(i), n);
  }
}

// ── 5: blocks of B that stay in the cache while all rows of A pass ──────────────────────────────────────────────────

constexpr size_t p_block = 96, j_block = 384;  // 144 KiB of B: in L2

void blocks_of_b(Square a, Square b, Square c) {
  for (size_t i = 0; i < n; ++i) std::fill_n(c.row(i), n, real(0));
  for (size_t j = 0; j < n; j += j_block)
    for (size_t p0 = 0; p0 < n; p0 += p_block)
      for (size_t i = 0; i < n; ++i)
        for (size_t p = p0; p < p0 + p_block; ++p) add_row(a.row(i)[p], b.row(p) + j, c.row(i) + j, j_block);
}

// ── 6: a tile of C in registers ─────────────────────────────────────────────────────────────────────────────────────

// A vector of the compiler's own (gcc and clang): arithmetic works on all places at once.
#if defined(__AVX512F__)
constexpr size_t tile_rows = 8, tile_vectors = 3, vector_bytes = 64;  // 24 of 32 registers
#elif defined(__AVX__)
constexpr size_t tile_rows = 6, tile_vectors = 2, vector_bytes = 32;  // 12 of 16 registers
#else
constexpr size_t tile_rows = 4, tile_vectors = 2, vector_bytes = 16;  // 8 of 16 registers
#endif
using Vector [[gnu::vector_size(vector_bytes)]] = real;
using LooseVector [[gnu::vector_size(vector_bytes), gnu::aligned(alignof(real)), gnu::may_alias]] = real;
constexpr size_t vector_size = vector_bytes / sizeof(real), tile_columns = tile_vectors * vector_size;
static_assert(n % tile_rows == 0 && n % tile_columns == 0);

/// C's tile at c = `count` columns of A times as many rows of B, `b_stride` apart.
void tile(const real* a, const real* b, size_t b_stride, size_t count, real* c, bool accumulate) {
  const auto at = [](auto* numbers) -> LooseVector& { return *(LooseVector*)numbers; };
  Vector sum[tile_rows][tile_vectors] = {};
  for (size_t p = 0; p < count; ++p, b += b_stride) {
#pragma GCC unroll 8
    for (size_t i = 0; i < tile_rows; ++i)
#pragma GCC unroll 3
      for (size_t v = 0; v < tile_vectors; ++v) sum[i][v] += a[i * n + p] * at(b + v * vector_size);
  }
  for (size_t i = 0; i < tile_rows; ++i)
    for (size_t v = 0; v < tile_vectors; ++v) {
      LooseVector& to = at(c + i * n + v * vector_size);
      to = accumulate ? to + sum[i][v] : sum[i][v];
    }
}

void tiles(Square a, Square b, Square c) {
  for (size_t j = 0; j < n; j += tile_columns)
    for (size_t i = 0; i < n; i += tile_rows) tile(a.row(i), b.row(0) + j, n, n, c.row(i) + j, false);
}

// ── 7: what a tile reads of B, copied so that it lies in one piece ──────────────────────────────────────────────────

void packed_tiles(Square a, Square b, Square c) {
  static thread_local std::array<real, n * tile_columns> panel;
  for (size_t j = 0; j < n; j += tile_columns) {
    for (size_t p = 0; p < n; ++p) std::copy_n(b.row(p) + j, tile_columns, panel.data() + p * tile_columns);
    for (size_t i = 0; i < n; i += tile_rows) tile(a.row(i), panel.data(), tile_columns, n, c.row(i) + j, false);
  }
}

// ── 8: cria's own, and 9: its rows divided among threads ────────────────────────────────────────────────────────────

void rows_of_gemm(Square a, Square b, Square c, Range rows) {
  simd::gemm(rows.size(), n, n, {a.row(rows.begin), n}, {b.data, n}, c.row(rows.begin), n);
}

std::vector<Case> ladder_cases(const Setting& setting) {
  std::vector<Case> cases;
  const auto add = [&](const char* name, size_t threads, auto multiply) {
    const double operations = 2.0 * n * n * n;
    cases.push_back({.name = name,
                     .shape = fmt::format("{}x{}x{}", n, n, n),
                     .target = setting.target,
                     .threads = threads,
                     .unit = "GFLOP/s",
                     .amount = operations * 1e-9,
                     .work = {.operations = operations},
                     .prepare = [multiply] {
                       return [multiply, a = RandomNumbers(n * n), b = RandomNumbers(n * n), c = RandomNumbers(n * n)] {
                         multiply(Square{a.data()}, Square{b.data()}, Square{c.data()});
                       };
                     }});
  };
  const auto with_transposed = [](auto multiply) {
    return [multiply, memory = RandomNumbers(n * n)](Square a, Square b, Square c) {
      transpose_square(b, {memory.data()});
      multiply(a, {memory.data()}, c);
    };
  };
  add("1 three loops", 1, three_loops);
  add("2 dot products", 1, with_transposed(dot_products));
  add("3 vector dot products", 1, with_transposed(vector_dot_products));
  add("4 rows of B", 1, rows_of_b);
  add("5 blocks of B", 1, blocks_of_b);
  add("6 tiles in registers", 1, tiles);
  add("7 packed tiles", 1, packed_tiles);
  add("8 cria's gemm", 1, [](Square a, Square b, Square c) { rows_of_gemm(a, b, c, {0, n}); });
  if (const size_t threads = setting.threads(); threads > 1)
    add("9 on all threads", threads, [&machine = setting.machine, threads](Square a, Square b, Square c) {
      machine.together(threads, [&](const Team& team) { rows_of_gemm(a, b, c, team.share(n, 8)); });
    });
  return cases;
}

}  // namespace

int bench_ladder(const BenchOptions& options, const Setting& setting) {
  const ProgressLine progress("ladder");
  const std::vector<Result> results = measure(ladder_cases(setting), setting.machine, options.repeats,
                                              [&](const Case& c, double share) { progress.show(c, share); });
  progress.clear();
  options.json ? print_json(results) : print_section("ladder", results);
  return 0;
}

}  // namespace cria::bench
