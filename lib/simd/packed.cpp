// Packed weights: their order in memory, and which kernel multiplies them.
#include "lib/simd/packed.hpp"

#include <algorithm>
#include <cstring>

#include "lib/simd/packed_layout.hpp"
#include "lib/simd/primitives.hpp"
#include "lib/simd/workspace.hpp"

namespace cria::simd {
namespace {

// Rows of 16 bits: `use` gets the address of row i with its type.
template <class Use>
void with_stored(const PackedRows& w, size_t i, Use use) {
  const std::byte* row = w.data + (w.first + i) * w.columns * 2;
  if (w.type == PackedType::f16)
    use(reinterpret_cast<const Float16*>(row));
  else
    use(reinterpret_cast<const BFloat16*>(row));
}

real half_at(const std::byte* from) {
  Float16 half;
  std::memcpy(&half, from, 2);
  real value;
  widen(&half, &value, 1);
  return value;
}

/// Few rows: each weight is read once. Many: as floats, as many rows of W as stay near until they have been used.
void multiply_halves(const PackedRows& w, size_t n, const real* x, size_t x_stride, real* y, size_t y_stride) {
  if (n <= 4) {
    for (size_t i = 0; i < w.rows; ++i)
      with_stored(w, i, [&](const auto* row) {
        for (size_t t = 0; t < n; ++t) y[t * y_stride + i] = dot(row, x + t * x_stride, w.columns);
      });
    return;
  }
  constexpr size_t numbers = size_t(1) << 17, tile = 48;  // half a megabyte of floats, and a multiple of gemm's tiles
  const size_t together = std::max(numbers / std::max<size_t>(w.columns, 1) / tile * tile, tile);
  real* wide = static_cast<real*>(workspace(together * w.columns * sizeof(real), WorkspaceUse::widened_weights));
  for (size_t i = 0; i < w.rows; i += together) {
    const size_t rows = std::min(together, w.rows - i);
    with_stored(w, i, [&](const auto* from) { widen(from, wide, rows * w.columns); });
    gemm(n, rows, w.columns, {x, x_stride}, Matrix{wide, w.columns}.transposed(), y + i, y_stride);
  }
}

void multiply_blocks(const PackedRows& w, size_t n, const real* x, size_t x_stride, real* y, size_t y_stride) {
  const size_t blocks = w.columns / block_numbers;
  std::byte* memory = static_cast<std::byte*>(
      workspace(n * (w.columns + blocks * sizeof(BlockSums)), WorkspaceUse::quantised_activations));
  auto* codes = reinterpret_cast<std::int8_t*>(memory);
  auto* sums = reinterpret_cast<BlockSums*>(memory + n * w.columns);
  const PackedKernels& kernels = active().packed;
  for (size_t t = 0; t < n; ++t)
    kernels.quantise(x + t * x_stride, w.columns, codes + t * w.columns, sums + t * blocks);
  kernels.multiply(w, n, {codes, sums}, y, y_stride);
}

}  // namespace

size_t packed_bytes(PackedType type, size_t rows, size_t columns) {
  if (!in_blocks(type)) return rows * columns * 2;
  return (rows + group_rows - 1) / group_rows * packed_layout(type, columns).group;
}

void pack_row(PackedType type, const std::byte* stored, size_t columns, size_t row, std::byte* to) {
  if (!in_blocks(type)) {
    std::memcpy(to + row * columns * 2, stored, columns * 2);
    return;
  }
  const PackedLayout layout = packed_layout(type, columns);
  const size_t steps = block_numbers * code_bits(type) / 32, lane = row % group_rows;
  std::byte* group = to + row / group_rows * layout.group;
  for (size_t block = 0; block < columns / block_numbers; ++block) {
    std::memcpy(group + layout.scales + (block * group_rows + lane) * 2, stored, 2);
    stored += 2;
    if (has_minimum(type)) {
      std::memcpy(group + layout.minima + (block * group_rows + lane) * 2, stored, 2);
      stored += 2;
    }
    std::byte* codes = group + block * layout.codes_of_block + lane * 4;
    for (size_t step = 0; step < steps; ++step, stored += 4) {
      std::uint32_t four;
      std::memcpy(&four, stored, 4);
      if (type == PackedType::q8_0) four ^= 0x80808080;  // adds 128 to each
      std::memcpy(codes + step * group_rows * 4, &four, 4);
    }
  }
}

void unpack_row(const PackedRows& w, size_t row, real* to) {
  if (!in_blocks(w.type)) return with_stored(w, row, [&](const auto* from) { widen(from, to, w.columns); });
  const PackedLayout layout = packed_layout(w.type, w.columns);
  const size_t lane = (w.first + row) % group_rows;
  const std::byte* group = w.data + (w.first + row) / group_rows * layout.group;
  for (size_t block = 0; block < w.columns / block_numbers; ++block, to += block_numbers) {
    const real scale = half_at(group + layout.scales + (block * group_rows + lane) * 2);
    const real minimum =
        has_minimum(w.type) ? half_at(group + layout.minima + (block * group_rows + lane) * 2) : real(0);
    for (size_t j = 0; j < block_numbers; ++j) {
      const size_t at = code_bits(w.type) == 8 ? j : j % 16;
      const auto byte =
          std::to_integer<int>(group[block * layout.codes_of_block + (at / 4 * group_rows + lane) * 4 + at % 4]);
      const int code = code_bits(w.type) == 8 ? byte : j < 16 ? byte & 15 : byte >> 4;
      to[j] = scale * real(code - code_zero(w.type)) + minimum;
    }
  }
}

void multiply_packed(const PackedRows& w, size_t n, const real* x, size_t x_stride, real* y, size_t y_stride) {
  if (w.rows == 0 || n == 0) return;
  in_blocks(w.type) ? multiply_blocks(w, n, x, x_stride, y, y_stride) : multiply_halves(w, n, x, x_stride, y, y_stride);
}

}  // namespace cria::simd
