// The ladder: one product, C = A B with all three stored by rows, from three loops to the one that cria uses, and the
// one that it uses for weights of 8 bits. docs/speed.md says what the hardware does on each rung. Compiled like
// everything else, without fast-math.
#include <fmt/format.h>

#include <array>

#include "app/bench/modes.hpp"
#include "app/bench/table.hpp"
#include "lib/formats/encode.hpp"
#include "lib/formats/pack_row.hpp"
#include "lib/simd/packed.hpp"
#include "lib/simd/primitives.hpp"

namespace cria::bench {
namespace {

constexpr size_t m = 384, n = 768;  // A is (m, n), B is (n, n)

/// A matrix with rows of n numbers.
struct Rows {
  real* data;
  real* row(size_t i) const { return data + i * n; }
};

// ── 1: as the formula has it ────────────────────────────────────────────────────────────────────────────────────────

void three_loops(Rows a, Rows b, Rows c) {
  for (size_t i = 0; i < m; ++i)
    for (size_t j = 0; j < n; ++j) {
      real sum = 0;
      for (size_t p = 0; p < n; ++p) sum += a.row(i)[p] * b.row(p)[j];
      c.row(i)[j] = sum;
    }
}

// ── 2: B is stored transposed, so that both operands are read along their rows ──────────────────────────────────────

void dot_products(Rows a, Rows b_transposed, Rows c) {
  for (size_t i = 0; i < m; ++i)
    for (size_t j = 0; j < n; ++j) {
      real sum = 0;
      for (size_t p = 0; p < n; ++p) sum += a.row(i)[p] * b_transposed.row(j)[p];
      c.row(i)[j] = sum;
    }
}

// ── 3: the sum may be split into as many partial sums as a vector has places ────────────────────────────────────────

void vector_dot_products(Rows a, Rows b_transposed, Rows c) {
  for (size_t i = 0; i < m; ++i)
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

void rows_of_b(Rows a, Rows b, Rows c) {
  for (size_t i = 0; i < m; ++i) {
    std::fill_n(c.row(i), n, real(0));
    for (size_t p = 0; p < n; ++p) add_row(a.row(i)[p], b.row(p), c.row(i), n);
  }
}

// ── 5: four rows of B for each time that C is loaded and stored ─────────────────────────────────────────────────────

void add_four_rows(const real* factors, const real* __restrict from, real* __restrict to, size_t count) {
  const real f0 = factors[0], f1 = factors[1], f2 = factors[2], f3 = factors[3];
  for (size_t j = 0; j < count; ++j)
    to[j] += f0 * from[j] + f1 * from[n + j] + f2 * from[2 * n + j] + f3 * from[3 * n + j];
}

void four_rows_of_b(Rows a, Rows b, Rows c) {
  for (size_t i = 0; i < m; ++i) {
    std::fill_n(c.row(i), n, real(0));
    for (size_t p = 0; p < n; p += 4) add_four_rows(a.row(i) + p, b.row(p), c.row(i), n);
  }
}

// ── 6: blocks of B that stay in the cache while all rows of A pass ──────────────────────────────────────────────────

constexpr size_t p_block = 16, j_block = 384;  // 24 KiB of B: in L1

void blocks_of_b(Rows a, Rows b, Rows c) {
  std::fill_n(c.data, m * n, real(0));
  for (size_t j = 0; j < n; j += j_block)
    for (size_t p0 = 0; p0 < n; p0 += p_block)
      for (size_t i = 0; i < m; ++i)
        for (size_t p = p0; p < p0 + p_block; p += 4) add_four_rows(a.row(i) + p, b.row(p) + j, c.row(i) + j, j_block);
}

// ── 7: a tile of C in registers ─────────────────────────────────────────────────────────────────────────────────────

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
static_assert(m % tile_rows == 0 && n % tile_columns == 0);

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

void tiles(Rows a, Rows b, Rows c) {
  for (size_t j = 0; j < n; j += tile_columns)
    for (size_t i = 0; i < m; i += tile_rows) tile(a.row(i), b.row(0) + j, n, n, c.row(i) + j, false);
}

// ── 8: what a tile reads of B, copied so that it lies in one piece ──────────────────────────────────────────────────

void packed_tiles(Rows a, Rows b, Rows c) {
  static thread_local std::array<real, n * tile_columns> panel;
  for (size_t j = 0; j < n; j += tile_columns) {
    for (size_t p = 0; p < n; ++p) std::copy_n(b.row(p) + j, tile_columns, panel.data() + p * tile_columns);
    for (size_t i = 0; i < m; i += tile_rows) tile(a.row(i), panel.data(), tile_columns, n, c.row(i) + j, false);
  }
}

// ── 9: cria's own, and 10: its rows divided among threads ───────────────────────────────────────────────────────────

void rows_of_gemm(Rows a, Rows b, Rows c, Range rows) {
  simd::gemm(rows.size(), n, n, {a.row(rows.begin), n}, {b.data, n}, c.row(rows.begin), n);
}

// ── 11: codes of 8 bits in place of B's numbers, and of A's as they are read ────────────────────────────────────────

/// A matrix of n columns in blocks of Q8_0: those of B, of which each becomes a row.
class RowsOfCodes {
 public:
  RowsOfCodes() : memory_(std::make_shared<ZeroedBlock>(simd::packed_bytes(type, n, n))) {
    const RandomNumbers numbers(n * n);
    for (size_t i = 0; i < n; ++i) {
      std::string stored;
      encode_elements(ElementType::q8_0, numbers.span().subspan(i * n, n), stored);
      pack_row(ElementType::q8_0, reinterpret_cast<const std::byte*>(stored.data()), n, i, data());
    }
  }
  simd::PackedRows rows() const { return {type, data(), 0, n, n}; }

 private:
  static constexpr simd::PackedType type = simd::PackedType::q8_0;
  std::byte* data() const { return static_cast<std::byte*>(memory_->data()); }

  std::shared_ptr<ZeroedBlock> memory_;
};

std::vector<Case> ladder_cases(const Setting& setting) {
  std::vector<Case> cases;
  const double operations = 2.0 * m * n * n;
  const auto add = [&](const char* name, const char* type, size_t threads, auto prepare) {
    cases.push_back({.name = name,
                     .shape = fmt::format("{}x{}x{}", m, n, n),
                     .type = type,
                     .target = setting.target,
                     .threads = threads,
                     .unit = "GFLOP/s",
                     .amount = operations * 1e-9,
                     .work = {.operations = operations},
                     .prepare = prepare});
  };
  const auto add_floats = [&](const char* name, size_t threads, auto multiply) {
    add(name, real_type, threads, [multiply] {
      return [multiply, a = RandomNumbers(m * n), b = RandomNumbers(n * n), c = RandomNumbers(m * n)] {
        multiply(Rows{a.data()}, Rows{b.data()}, Rows{c.data()});
      };
    });
  };
  add_floats("1 three loops", 1, three_loops);
  add_floats("2 dot products", 1, dot_products);
  add_floats("3 vector dot products", 1, vector_dot_products);
  add_floats("4 rows of B", 1, rows_of_b);
  add_floats("5 four rows of B", 1, four_rows_of_b);
  add_floats("6 blocks of B", 1, blocks_of_b);
  add_floats("7 tiles in registers", 1, tiles);
  add_floats("8 packed tiles", 1, packed_tiles);
  add_floats("9 cria's gemm", 1, [](Rows a, Rows b, Rows c) { rows_of_gemm(a, b, c, {0, m}); });
  if (const size_t threads = setting.threads(); threads > 1)
    add_floats("10 on all threads", threads, [&machine = setting.machine, threads](Rows a, Rows b, Rows c) {
      machine.together(threads, [&](const Team& team) { rows_of_gemm(a, b, c, team.share(m, 8)); });
    });
  add("11 codes of 8 bits", "Q8_0", 1, [] {
    return [a = RandomNumbers(m * n), b = RowsOfCodes(), c = RandomNumbers(m * n)] {
      simd::multiply_packed(b.rows(), m, a.data(), n, c.data(), n);
    };
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
