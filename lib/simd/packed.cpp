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
void multiply_halves(const PackedRows& w, size_t n, const real* x, size_t x_stride, real* y, size_t y_stride,
                     bool each_row) {
  if (n <= 4 || each_row) {
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

// The planes of 32 codes of a row, which begin at `to`.
template <size_t bits>
void pack_codes(const std::uint8_t* codes, std::byte* to) {
  std::uint32_t fours[8];
  std::memcpy(fours, codes, sizeof fours);
  const auto put_plane = [&]<size_t first_bit, size_t width>() {
    const std::uint32_t mask = 0x01010101u * ((1u << width) - 1);
    std::uint32_t plane[8] = {};
    for (size_t i = 0; i < 8; ++i)
      plane[plane_vector(width, i)] |= (fours[i] >> first_bit & mask) << plane_bit(width, i);
    for (size_t v = 0; v < width; ++v) std::memcpy(to + (first_bit + v) * group_rows * 4, &plane[v], 4);
  };
  constexpr size_t lower = lower_bits(bits), upper = bits - lower;
  put_plane.template operator()<0, lower>();
  if constexpr (upper > 0) put_plane.template operator()<lower, upper>();
}

/// Of rows of this type; as most of a model's opening is spent here, each has a loop of its own.
template <PackedType type>
void pack(const BlockParts& block, size_t columns, size_t row, size_t column, std::byte* to) {
  constexpr BlockForm form = block_form(type);
  const PackedLayout layout = packed_layout(type, columns);
  const size_t lane = row % group_rows, first = column / block_numbers;
  std::byte* group = to + row / group_rows * layout.group;
  for (size_t i = 0; i < form.numbers / block_numbers; ++i)
    pack_codes<form.bits>(block.codes + i * block_numbers, group + (first + i) * layout.codes_of_block + lane * 4);
  const auto put = [&](size_t scales, size_t factors, std::uint16_t half, const std::int8_t* wholes) {
    const size_t halves = is_super(form) ? factors : scales;
    std::memcpy(group + halves + (column / form.numbers * group_rows + lane) * 2, &half, 2);
    for (size_t p = 0; is_super(form) && p < form.numbers / form.part; ++p)
      group[scales + (column / form.part + p) * group_rows + lane] = std::byte(wholes[p]);
  };
  put(layout.scales, layout.factors, block.scale, block.scales);
  if (form.has_minimum) put(layout.minima, layout.factors_of_minima, block.minimum, block.minima);
}

}  // namespace

size_t packed_bytes(PackedType type, size_t rows, size_t columns) {
  if (!in_blocks(type)) return rows * columns * 2;
  return (rows + group_rows - 1) / group_rows * packed_layout(type, columns).group;
}

void pack_block(PackedType type, const BlockParts& block, size_t columns, size_t row, size_t column, std::byte* to) {
  with_block_type(type, [&]<PackedType constant>() { pack<constant>(block, columns, row, column, to); });
}

void unpack_row(const PackedRows& w, size_t row, real* to) {
  if (!in_blocks(w.type)) return with_stored(w, row, [&](const auto* from) { widen(from, to, w.columns); });
  const BlockForm form = block_form(w.type);
  const PackedLayout layout = packed_layout(w.type, w.columns);
  const size_t lane = (w.first + row) % group_rows;
  const std::byte* group = w.data + (w.first + row) / group_rows * layout.group;
  for (size_t part = 0; part < w.columns / form.part; ++part) {
    const auto at = [&](size_t scales, size_t factors) {
      if (!is_super(form)) return half_at(group + scales + (part * group_rows + lane) * 2);
      const auto whole = static_cast<std::int8_t>(group[scales + part * group_rows + lane]);
      return real(whole) * half_at(group + factors + (part * form.part / superblock_numbers * group_rows + lane) * 2);
    };
    const real scale = at(layout.scales, layout.factors);
    const real minimum = form.has_minimum ? at(layout.minima, layout.factors_of_minima) : real(0);
    for (size_t i = part * form.part; i < (part + 1) * form.part; ++i) {
      const auto* codes = reinterpret_cast<const std::uint8_t*>(group + i / block_numbers * layout.codes_of_block);
      const int code = packed_code(form.bits, codes, lane, i % block_numbers);
      to[i] = scale * real(code_value(form, code)) + minimum;
    }
  }
}

size_t quantised_bytes(size_t n, size_t k) { return n * (k + k / block_numbers * sizeof(BlockSums)); }

QuantisedRows quantised_rows(void* memory, size_t n, size_t k) {
  auto* sums = static_cast<BlockSums*>(memory);
  return {reinterpret_cast<std::int8_t*>(sums + n * (k / block_numbers)), sums};
}

void quantise_rows(const real* x, size_t x_stride, size_t first, size_t n, size_t k, const QuantisedRows& to) {
  const PackedKernels& kernels = active().packed;
  for (size_t t = first; t < first + n; ++t)
    kernels.quantise(x + t * x_stride, k, to.codes + t * k, to.sums + t * (k / block_numbers));
}

void narrow(const real* x, BlockQ8_0* y, size_t blocks) {
  const Primitives& primitives = active();
  for (size_t b = 0; b < blocks; ++b, x += BlockQ8_0::numbers) {
    BlockSums sums;
    primitives.packed.quantise(x, BlockQ8_0::numbers, y[b].codes, &sums);
    const real scale = sums.scale;
    Float16 half;
    primitives.narrow_float16(&scale, &half, 1);
    y[b].scale = half.bits;
  }
}

void multiply_packed(const PackedRows& w, size_t n, const real* x, size_t x_stride, real* y, size_t y_stride,
                     const QuantisedRows& rounded, bool each_row) {
  if (w.rows == 0 || n == 0) return;
  if (!in_blocks(w.type)) return multiply_halves(w, n, x, x_stride, y, y_stride, each_row);
  QuantisedRows of_x = rounded;
  if (!of_x.codes) {
    const size_t bytes = quantised_bytes(n, w.columns);
    of_x = quantised_rows(workspace(bytes, WorkspaceUse::quantised_activations), n, w.columns);
    quantise_rows(x, x_stride, 0, n, w.columns, of_x);
  }
  active().packed.multiply(w, n, of_x, y, y_stride);
}

}  // namespace cria::simd
