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

real scale_at(const std::byte* group, PackedType type, size_t scales, size_t factors, size_t block, size_t part,
              size_t row) {
  const BlockForm form = block_form(type);
  if (!is_super(form)) return number(group + scales, block * group_rows + row);
  const auto* whole = reinterpret_cast<const std::int8_t*>(group + scales);
  return real(whole[(block * (block_numbers / form.part) + part) * group_rows + row]) *
         number(group + factors, block * block_numbers / superblock_numbers * group_rows + row);
}

// The rows of one group, times one row of activations: for each part Σ (scale code + minimum) (s x) =
// scale s Σ code x + minimum s Σ x, where both sums are of whole numbers.
template <PackedType type>
void multiply_group(const std::byte* group, size_t k, const std::int8_t* x, const BlockSums* of_x,
                    real (&y)[group_rows]) {
  constexpr BlockForm form = block_form(type);
  constexpr size_t parts = block_numbers / form.part;
  const PackedLayout layout = packed_layout(type, k);
  for (real& sum : y) sum = 0;
  for (size_t block = 0; block < k / block_numbers; ++block, x += block_numbers) {
    const auto* codes = reinterpret_cast<const std::uint8_t*>(group + block * layout.codes_of_block);
    for (size_t part = 0; part < parts; ++part) {
      std::int32_t products[group_rows] = {};
      for (size_t first = part * form.part; first < (part + 1) * form.part; first += 4)
        for (size_t row = 0; row < group_rows; ++row)
          for (size_t j = first; j < first + 4; ++j)
            products[row] += code_value(form, packed_code(form.bits, codes, row, j)) * x[j];
      for (size_t row = 0; row < group_rows; ++row) {
        const real scale = scale_at(group, type, layout.scales, layout.factors, block, part, row);
        y[row] += real(products[row]) * (scale * real(of_x[block].scale));
        if (form.has_minimum)
          y[row] += scale_at(group, type, layout.minima, layout.factors_of_minima, block, part, row) *
                    (real(of_x[block].scale) * real(sum_of_codes<parts>(of_x[block], part)));
      }
    }
  }
}

void multiply(const PackedRows& w, size_t n, const QuantisedRows& x, real* y, size_t y_stride) {
  const size_t blocks = w.columns / block_numbers, bytes = packed_layout(w.type, w.columns).group;
  for (size_t t = 0; t < n; ++t)
    for (size_t i = 0; i < w.rows;) {
      real totals[group_rows];
      const size_t row = w.first + i, lane = row % group_rows;
      with_block_type(w.type, [&]<PackedType type>() {
        multiply_group<type>(w.data + row / group_rows * bytes, w.columns, x.codes + t * w.columns, x.sums + t * blocks,
                             totals);
      });
      for (size_t j = lane; j < group_rows && i < w.rows; ++j) y[t * y_stride + i++] = totals[j];
    }
}

// Sums of the same codes with other activations in every round: or the compiler would multiply once by their number.
real multiply_codes(size_t rounds, const std::int8_t (&x)[CodeLimit::activations]) {
  std::int32_t sum[CodeLimit::activations / 4] = {};
  for (size_t round = 0; round < rounds; ++round) {
    const std::int8_t other = x[round % CodeLimit::activations];
    for (size_t i = 0; i < CodeLimit::activations; ++i) sum[i / 4] += x[i] * other;
  }
  real total = 0;
  for (const std::int32_t part : sum) total += real(part);
  return total;
}

}  // namespace

PackedKernels packed_kernels() {
  return {kernels::quantise<Portable, real>, multiply, {multiply_codes, 2 * CodeLimit::activations}};
}

}  // namespace cria::simd::portable
