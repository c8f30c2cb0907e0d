// The product of weights in blocks with rounded activations, in plain C++: what it means, and what runs where no better
// target exists.
#include "lib/simd/quantise.hpp"
#include "lib/simd/targets.hpp"

namespace cria::simd::portable {
namespace {

struct Portable;

real number(const std::byte* halves, size_t i) {
  real value;
  portable::widen(reinterpret_cast<const Float16*>(halves) + i, &value, 1);
  return value;
}

// The rows of one group, times one row of activations: for each block Σ (scale (code - zero) + minimum) (s x) =
// scale s (Σ code x - zero Σ x) + minimum s Σ x, where both sums are of whole numbers.
void multiply_group(PackedType type, const std::byte* group, size_t k, const std::int8_t* x, const BlockSums* of_x,
                    real (&y)[group_rows]) {
  const PackedLayout layout = packed_layout(type, k);
  for (real& sum : y) sum = 0;
  for (size_t block = 0; block < k / block_numbers; ++block, x += block_numbers) {
    std::int32_t products[group_rows] = {};
    const auto* codes = reinterpret_cast<const std::uint8_t*>(group + block * layout.codes_of_block);
    for (size_t step = 0; step < layout.codes_of_block / (4 * group_rows); ++step)
      for (size_t row = 0; row < group_rows; ++row)
        for (size_t j = 4 * step; j < 4 * step + 4; ++j) {
          const int byte = *codes++;
          products[row] += code_bits(type) == 8 ? byte * x[j] : (byte & 15) * x[j] + (byte >> 4) * x[j + 16];
        }
    for (size_t row = 0; row < group_rows; ++row) {
      const std::int32_t sum = products[row] - code_zero(type) * of_x[block].codes;
      const real scale = of_x[block].scale;
      y[row] += real(sum) * (number(group + layout.scales, block * group_rows + row) * scale);
      if (has_minimum(type))
        y[row] += number(group + layout.minima, block * group_rows + row) * (scale * real(of_x[block].codes));
    }
  }
}

void multiply(const PackedRows& w, size_t n, const QuantisedRows& x, real* y, size_t y_stride) {
  const size_t blocks = w.columns / block_numbers, bytes = packed_layout(w.type, w.columns).group;
  for (size_t t = 0; t < n; ++t)
    for (size_t i = 0; i < w.rows;) {
      real totals[group_rows];
      const size_t row = w.first + i, lane = row % group_rows;
      multiply_group(w.type, w.data + row / group_rows * bytes, w.columns, x.codes + t * w.columns, x.sums + t * blocks,
                     totals);
      for (size_t j = lane; j < group_rows && i < w.rows; ++j) y[t * y_stride + i++] = totals[j];
    }
}

}  // namespace

PackedKernels packed_kernels() { return {kernels::quantise<Portable, real>, multiply}; }

}  // namespace cria::simd::portable
