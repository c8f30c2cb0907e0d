// Weights as they are stored, on every target of this machine: the order in memory, activations rounded to 8 bits, and
// products of any shape, held to sums in double of the very numbers that the codes stand for.
#include <cstring>

#include "lib/formats/blocks.hpp"
#include "lib/formats/element_type.hpp"
#include "lib/simd/packed.hpp"
#include "tests/lib/simd_testing.hpp"

using namespace cria;
using namespace cria::testing;
using simd::PackedType;

namespace {

constexpr PackedType all_types[] = {PackedType::f16, PackedType::bf16, PackedType::q8_0, PackedType::q4_0,
                                    PackedType::q4_1};

ElementType element_type(PackedType type) {
  switch (type) {
    case PackedType::f16:
      return ElementType::f16;
    case PackedType::bf16:
      return ElementType::bf16;
    case PackedType::q8_0:
      return ElementType::q8_0;
    case PackedType::q4_0:
      return ElementType::q4_0;
    case PackedType::q4_1:
      return ElementType::q4_1;
  }
  return {};
}

/// A random matrix as a file stores it, packed; with the numbers that lib/formats reads from the file.
struct Weights {
  Weights(PackedType type, size_t rows, size_t columns, std::uint64_t seed)
      : layout(type_layout(element_type(type))),
        numbers(rows * columns),
        memory(simd::packed_bytes(type, rows, columns) + 64) {
    Random random(seed);
    std::vector<std::byte> stored(rows * columns / layout.numbers * layout.bytes);
    for (std::byte& byte : stored) byte = std::byte(random.below(256));
    // A factor of any bits may be NaN or huge: each begins a block, or is all there is.
    const size_t factors = !simd::in_blocks(type) ? 1 : simd::has_minimum(type) ? 2 : 1;
    for (size_t at = 0; at < stored.size(); at += layout.bytes)
      for (size_t i = 0; i < factors; ++i) {
        const real value = static_cast<real>(random.normal() * 0.01);
        if (type == PackedType::bf16) {
          simd::BFloat16 half;
          simd::narrow(&value, &half, 1);
          std::memcpy(&stored[at + 2 * i], &half, 2);
        } else {
          simd::Float16 half;
          simd::narrow(&value, &half, 1);
          std::memcpy(&stored[at + 2 * i], &half, 2);
        }
      }
    convert_elements(element_type(type), stored.data(), std::span<real>(numbers));
    auto* aligned = reinterpret_cast<std::byte*>((reinterpret_cast<std::uintptr_t>(memory.data()) + 63) / 64 * 64);
    for (size_t row = 0; row < rows; ++row)
      simd::pack_row(type, stored.data() + row * columns / layout.numbers * layout.bytes, columns, row, aligned);
    packed = {type, aligned, 0, rows, columns};
  }
  simd::PackedRows part(size_t first, size_t rows) const {
    simd::PackedRows result = packed;
    result.first = first, result.rows = rows;
    return result;
  }
  real at(size_t row, size_t column) const { return numbers[row * packed.columns + column]; }

  TypeLayout layout;
  std::vector<real> numbers;
  std::vector<std::byte> memory;
  simd::PackedRows packed;
};

/// Rows of activations as the target that is active rounds them, as numbers.
std::vector<wide> rounded(PackedType type, Guarded& x, size_t n, size_t k, size_t stride) {
  std::vector<wide> numbers(n * k);
  std::vector<std::int8_t> codes(k);
  std::vector<simd::BlockSums> sums(k / 32);
  for (size_t t = 0; t < n; ++t) {
    if (simd::in_blocks(type)) simd::active().packed.quantise(x.data() + t * stride, k, codes.data(), sums.data());
    for (size_t i = 0; i < k; ++i)
      numbers[t * k + i] = simd::in_blocks(type) ? wide(sums[i / 32].scale) * codes[i] : wide(x[t * stride + i]);
  }
  return numbers;
}

void check_product(const Weights& weights, size_t first, size_t rows, size_t n) {
  const size_t k = weights.packed.columns, x_stride = k + 3, y_stride = rows + 5;
  INFO("rows " << first << " … " << first + rows << " of " << weights.packed.rows << ", k " << k << ", n " << n);
  Guarded x(n * x_stride, 7), y(n * y_stride, 8);
  const Guarded before = y;
  simd::multiply_packed(weights.part(first, rows), n, x.data(), x_stride, y.data(), y_stride);
  const std::vector<wide> numbers = rounded(weights.packed.type, x, n, k, x_stride);
  Worst worst;
  size_t spoilt = 0;
  for (size_t t = 0; t < n; ++t)
    for (size_t i = 0; i < y_stride; ++i) {
      if (i >= rows) {
        spoilt += y[t * y_stride + i] != before[t * y_stride + i];
        continue;
      }
      wide sum = 0, size = 0;
      for (size_t p = 0; p < k; ++p) {
        const wide product = numbers[t * k + p] * weights.at(first + i, p);
        sum += product, size += std::abs(product);
      }
      // One rounding for each number with 16 bits; four for each block, of sums that may be of one sign: codes from 0
      // to 15 with a minimum are, and cancel with it, so that their own size counts and not the weight's.
      const bool blocks = simd::in_blocks(weights.packed.type);
      wide bound = wide(k) * eps * size;
      if (blocks) {
        wide largest = 0;
        for (size_t p = 0; p < k; ++p) largest += std::abs(numbers[t * k + p]);
        bound = wide(k / 32 + 4) * eps * (size + largest * wide(0.01 * 4 * 32));
        // lib/formats rounds scale code + minimum to a float, also where `real` is double.
        if (simd::has_minimum(weights.packed.type)) bound += wide(std::numeric_limits<float>::epsilon()) * size;
      }
      worst.see(y[t * y_stride + i], sum, bound);
    }
  CHECK(worst.ratio <= 1);
  CHECK(spoilt == 0);
  REQUIRE(y.intact());
}

}  // namespace

TEST_CASE("packed rows stand for the numbers that the file's do") {
  for (PackedType type : all_types)
    for (const auto& [rows, columns] : {std::pair<size_t, size_t>{1, 32}, {16, 64}, {37, 96}}) {
      INFO(type_layout(element_type(type)).name << " " << rows << " x " << columns);
      const Weights weights(type, rows, columns, 3);
      const size_t first = rows / 3;
      std::vector<real> row(columns);
      size_t wrong = 0;
      for (size_t i = 0; first + i < rows; ++i) {
        simd::unpack_row(weights.part(first, rows - first), i, row.data());
        // Of a value with minimum some compilers round scale · code first, and others do not.
        for (size_t j = 0; j < columns; ++j)
          wrong += std::abs(row[j] - weights.at(first + i, j)) > (simd::has_minimum(type) ? 1e-7 : 0);
      }
      CHECK(wrong == 0);
    }
}

TEST_CASE("activations are rounded to the nearest of 127 steps of their block's largest") {
  on_every_target([] {
    for (size_t k : {32, 64, 320}) {
      Guarded x(k, 5);
      x[3] = 0, x[k - 1] = -40;
      std::vector<std::int8_t> codes(k + 1, 77);
      std::vector<simd::BlockSums> sums(k / 32);
      simd::active().packed.quantise(x.data(), k, codes.data(), sums.data());
      CHECK(codes[k] == 77);
      CHECK(codes[k - 1] == -127);
      for (size_t b = 0; b < k / 32; ++b) {
        wide largest = 0;
        int total = 0;
        for (size_t i = 32 * b; i < 32 * b + 32; ++i) {
          largest = std::max(largest, std::abs(wide(x[i])));
          total += codes[i];
          CHECK(std::abs(wide(x[i]) - wide(sums[b].scale) * codes[i]) <= wide(sums[b].scale) * 0.50002);
        }
        CHECK(std::abs(wide(sums[b].scale) * 127 - largest) <= 1e-6 * largest);
        CHECK(sums[b].codes == total);
        CHECK(sums[b].numbers == sums[b].scale * float(total));
      }
    }
    std::vector<std::int8_t> codes(32);
    simd::BlockSums sums;
    const std::vector<real> nothing(32, 0), tiny(32, real(1e-40));
    for (const std::vector<real>& x : {nothing, tiny}) {
      simd::active().packed.quantise(x.data(), 32, codes.data(), &sums);
      CHECK(codes == std::vector<std::int8_t>(32, 0));
    }
  });
}

TEST_CASE("a product with packed weights is that of the numbers they stand for, for any part of the rows") {
  on_every_target([] {
    for (PackedType type : all_types) {
      INFO(type_layout(element_type(type)).name);
      const Weights weights(type, 75, 160, 11);
      for (size_t n : {1, 2, 3, 4, 5, 6, 7, 13})
        for (const auto& [first, rows] :
             {std::pair<size_t, size_t>{0, 75}, {0, 16}, {16, 32}, {5, 3}, {8, 16}, {40, 35}, {75, 0}})
          check_product(weights, first, rows, n);
      check_product(Weights(type, 1, 32, 12), 0, 1, 1);
      check_product(Weights(type, 50, 2048, 13), 0, 50, 9);
      if (!simd::in_blocks(type)) check_product(Weights(type, 150, 2049, 14), 0, 150, 6);
    }
  });
}

TEST_CASE("codes at the ends of their range are multiplied without saturation") {
  on_every_target([] {
    for (PackedType type : {PackedType::q8_0, PackedType::q4_0, PackedType::q4_1})
      for (int byte : {0x00, 0x7f, 0x80, 0xff}) {
        const TypeLayout layout = type_layout(element_type(type));
        std::vector<std::byte> stored(layout.bytes, std::byte(byte)), memory(simd::packed_bytes(type, 1, 32) + 64);
        const real one = 1;
        simd::Float16 scale;
        simd::narrow(&one, &scale, 1);
        std::memcpy(stored.data(), &scale, 2);
        if (simd::has_minimum(type)) std::memcpy(stored.data() + 2, &scale, 2);
        std::vector<real> numbers(32);
        convert_elements(element_type(type), stored.data(), std::span<real>(numbers));
        auto* to = reinterpret_cast<std::byte*>((reinterpret_cast<std::uintptr_t>(memory.data()) + 63) / 64 * 64);
        simd::pack_row(type, stored.data(), 32, 0, to);
        for (real x : {real(127), real(-127)}) {
          const std::vector<real> row(32, x);
          wide sum = 0;
          for (real number : numbers) sum += wide(number) * x;
          real y = 0;
          simd::multiply_packed({type, to, 0, 1, 32}, 1, row.data(), 32, &y, 1);
          CHECK(y == sum);
        }
      }
  });
}

TEST_CASE("elements of a product with weights in blocks depend on their own row and weights alone, to the last bit") {
  on_every_target([] {
    for (PackedType type : {PackedType::q8_0, PackedType::q4_0, PackedType::q4_1}) {
      const Weights weights(type, 70, 256, 21);
      const size_t n = 11;
      Guarded x(n * 256, 22), whole(n * 70, 23), part(70, 24);
      simd::multiply_packed(weights.packed, n, x.data(), 256, whole.data(), 70);
      size_t differ = 0;
      for (size_t t = 0; t < n; ++t)
        for (size_t first : {0, 24, 69}) {
          simd::multiply_packed(weights.part(first, 70 - first), 1, x.data() + t * 256, 256, part.data(), 70);
          for (size_t i = first; i < 70; ++i) differ += part[i - first] != whole[t * 70 + i];
        }
      CHECK(differ == 0);
    }
  });
}

TEST_CASE("an activation that is no number leaves none in a product with weights in blocks") {
  on_every_target([] {
    const Weights weights(PackedType::q8_0, 16, 64, 31);
    for (real bad : {not_a_number, -not_a_number, infinity}) {
      std::vector<real> x(64, 1), y(16);
      x[40] = bad;
      simd::multiply_packed(weights.packed, 1, x.data(), 64, y.data(), 16);
      for (real value : y) CHECK(!std::isfinite(value));
    }
  });
}
