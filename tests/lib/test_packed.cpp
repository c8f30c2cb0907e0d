// Weights as they are stored, on every target of this machine: the order in memory, activations rounded to 8 bits, and
// products of any shape, held to sums in double of the very numbers that the codes stand for.
#include <cstring>

#include "lib/formats/encode.hpp"
#include "lib/formats/pack_row.hpp"
#include "lib/formats/with_block.hpp"
#include "lib/simd/targets.hpp"
#include "tests/lib/simd_testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

/// The types that are packed: all, or those in blocks.
std::vector<ElementType> packed_types(ElementType first = ElementType::f16) {
  std::vector<ElementType> types;
  for (int type = int(first); type <= int(ElementType::iq4_xs); ++type)
    if (packed_type(ElementType(type))) types.push_back(ElementType(type));
  return types;
}
std::vector<ElementType> block_types() { return packed_types(ElementType::q4_0); }

simd::BlockForm form_of(ElementType type) { return simd::block_form(*packed_type(type)); }

/// `stored` blocks of any bytes have factors of any bits, NaN and huge ones too: each gets one of this size.
template <class Factor>
void set_factors(ElementType type, std::span<std::byte> stored, Factor factor) {
  with_block(type, [&]<class Block>() {
    for (size_t at = 0; at < stored.size(); at += sizeof(Block)) {
      Block block;
      std::memcpy(&block, &stored[at], sizeof block);
      block.scale = float_to_half(factor());
      if constexpr (requires { block.minimum; }) block.minimum = float_to_half(factor());
      std::memcpy(&stored[at], &block, sizeof block);
    }
  });
}

/// A random matrix as a file stores it, packed; with the numbers that lib/formats reads from the file.
struct Weights {
  Weights(ElementType t, size_t rows, size_t columns, std::uint64_t seed)
      : Weights(t, rows, columns, random_bytes(t, rows * columns, seed)) {}
  Weights(ElementType t, size_t rows, size_t columns, const std::vector<std::byte>& stored)
      : type(t), numbers(rows * columns), memory(simd::packed_bytes(*packed_type(t), rows, columns) + 64) {
    convert_elements(type, stored.data(), std::span<real>(numbers));
    auto* aligned = reinterpret_cast<std::byte*>((reinterpret_cast<std::uintptr_t>(memory.data()) + 63) / 64 * 64);
    for (size_t row = 0; row < rows; ++row)
      pack_row(type, stored.data() + row * stored.size() / rows, columns, row, aligned);
    packed = {*packed_type(type), aligned, 0, rows, columns};
  }
  static std::vector<std::byte> random_bytes(ElementType type, size_t count, std::uint64_t seed) {
    Random random(seed);
    std::vector<std::byte> stored(count / type_layout(type).numbers * type_layout(type).bytes);
    for (size_t i = 0; i < stored.size(); ++i)  // of 16 bits, no NaN and nothing large
      stored[i] = std::byte(random.below(256) & (type_layout(type).numbers == 1 && i % 2 ? 0xbb : 0xff));
    // Whole numbers of superblocks reach 63 and more.
    const double size = is_super(form_of(type)) ? 0.01 / 64 : 0.01;
    set_factors(type, stored, [&] { return float(size * random.normal()); });
    return stored;
  }
  simd::PackedRows part(size_t first, size_t rows) const {
    simd::PackedRows result = packed;
    result.first = first, result.rows = rows;
    return result;
  }
  real at(size_t row, size_t column) const { return numbers[row * packed.columns + column]; }

  ElementType type;
  std::vector<real> numbers;
  std::vector<std::byte> memory;
  simd::PackedRows packed;
};

/// Rows of activations as the target that is active rounds them, as numbers.
std::vector<wide> rounded(const Weights& w, Guarded& x, size_t n, size_t k, size_t stride) {
  std::vector<wide> numbers(n * k);
  std::vector<std::int8_t> codes(k);
  std::vector<simd::BlockSums> sums(k / 32);
  const bool blocks = simd::in_blocks(w.packed.type);
  for (size_t t = 0; t < n; ++t) {
    if (blocks) simd::active().packed.quantise(x.data() + t * stride, k, codes.data(), sums.data());
    for (size_t i = 0; i < k; ++i)
      numbers[t * k + i] = blocks ? wide(sums[i / 32].scale) * codes[i] : wide(x[t * stride + i]);
  }
  return numbers;
}

void check_product(const Weights& weights, size_t first, size_t rows, size_t n) {
  const size_t k = weights.packed.columns, x_stride = k + 3, y_stride = rows + 5;
  INFO("rows " << first << " … " << first + rows << " of " << weights.packed.rows << ", k " << k << ", n " << n);
  Guarded x(n * x_stride, 7), y(n * y_stride, 8);
  const Guarded before = y;
  simd::multiply_packed(weights.part(first, rows), n, x.data(), x_stride, y.data(), y_stride);
  const std::vector<wide> numbers = rounded(weights, x, n, k, x_stride);
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
      // One rounding for each number with 16 bits; four for each scale, of sums that may be of one sign: codes from 0
      // to 31 with a minimum are, and cancel with it, so that their own size counts and not the weight's.
      const bool blocks = simd::in_blocks(weights.packed.type);
      wide bound = wide(k) * eps * size;
      if (blocks) {
        wide largest = 0;
        for (size_t p = 0; p < k; ++p) largest += std::abs(numbers[t * k + p]);
        bound = wide(k / form_of(weights.type).part + 4) * eps * (size + largest * wide(0.01 * 4 * 32));
        // lib/formats rounds scale code + minimum to a float, also where `real` is double.
        if (form_of(weights.type).has_minimum) bound += wide(std::numeric_limits<float>::epsilon()) * size;
      }
      worst.see(y[t * y_stride + i], sum, bound);
    }
  CHECK(worst.ratio <= 1);
  CHECK(spoilt == 0);
  REQUIRE(y.intact());
}

/// Kernels of which a target chooses one for the CPU that it meets; those that run here, chosen or not.
std::vector<std::pair<const char*, simd::PackedKernels>> kernels_of_this_cpu() {
  std::vector<std::pair<const char*, simd::PackedKernels>> kernels;
#if defined(__x86_64__)
  if (cpu_has({"avx2", "fma", "f16c"})) kernels.emplace_back("avx2", simd::avx2::packed_kernels());
  if (cpu_has({"avx2", "fma", "f16c", "avx_vnni"})) kernels.emplace_back("avxvnni", simd::avxvnni::packed_kernels());
  if (cpu_has({"avx512bw", "avx512vl", "avx512_vnni"}))
    kernels.emplace_back("avx512vnni", simd::avx512vnni::packed_kernels());
#elif defined(__aarch64__)
  kernels.emplace_back("neon", simd::neon::packed_kernels());
  if (simd::neon::has_sdot()) kernels.emplace_back("neondot", simd::neondot::packed_kernels());
#endif
  return kernels;
}

/// Weights in blocks are multiplied by these kernels until the end of the scope.
class InUse {
 public:
  explicit InUse(const simd::PackedKernels& kernels) : table_(simd::active()) {
    table_.packed = kernels;
    before_ = simd::chosen_target.exchange(&table_);
  }
  ~InUse() { simd::chosen_target = before_; }
  InUse(const InUse&) = delete;

 private:
  simd::Primitives table_;
  const simd::Primitives* before_;
};

}  // namespace

TEST_CASE("packed rows stand for the numbers that the file's do") {
  for (ElementType type : packed_types())
    for (const auto& [rows, blocks] : {std::pair<size_t, size_t>{1, 1}, {16, 2}, {37, 3}}) {
      const size_t columns = blocks * std::max<size_t>(type_layout(type).numbers, 32), first = rows / 3;
      INFO(type_layout(type).name << " " << rows << " x " << columns);
      const Weights weights(type, rows, columns, 3);
      std::vector<real> row(columns);
      size_t wrong = 0;
      for (size_t i = 0; first + i < rows; ++i) {
        simd::unpack_row(weights.part(first, rows - first), i, row.data());
        // Of a value with minimum some compilers round scale · code first, and others do not.
        for (size_t j = 0; j < columns; ++j)
          wrong += std::abs(row[j] - weights.at(first + i, j)) > (form_of(type).has_minimum ? 1e-7 : 0);
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
        int total = 0, halves[2] = {};
        for (size_t i = 32 * b; i < 32 * b + 32; ++i) {
          largest = std::max(largest, std::abs(wide(x[i])));
          total += codes[i];
          halves[i / 16 % 2] += codes[i];
          CHECK(std::abs(wide(x[i]) - wide(sums[b].scale) * codes[i]) <= wide(sums[b].scale) * 0.50002);
        }
        CHECK(std::abs(wide(sums[b].scale) * 127 - largest) <= 1e-6 * largest);
        CHECK(sums[b].halves[0] == halves[0]);
        CHECK(sums[b].halves[1] == halves[1]);
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
    for (ElementType type : packed_types()) {
      INFO(type_layout(type).name);
      const size_t block = type_layout(type).numbers;
      const Weights weights(type, 75, block == 256 ? 512 : 160, 11);
      for (size_t n : {1, 2, 3, 4, 5, 6, 7, 13})
        for (const auto& [first, rows] :
             {std::pair<size_t, size_t>{0, 75}, {0, 16}, {16, 32}, {5, 3}, {8, 16}, {40, 35}, {75, 0}})
          check_product(weights, first, rows, n);
      check_product(Weights(type, 1, std::max<size_t>(block, 32), 12), 0, 1, 1);
      check_product(Weights(type, 50, 2048, 13), 0, 50, 9);
      if (block == 1) check_product(Weights(type, 150, 2049, 14), 0, 150, 6);
    }
  });
}

TEST_CASE("codes at the ends of their range are multiplied without saturation") {
  const auto check = [] {
    for (ElementType type : block_types())
      for (int byte : {0x00, 0x7f, 0x80, 0xff}) {
        INFO(type_layout(type).name << " of bytes " << byte);
        std::vector<std::byte> stored(type_layout(type).bytes, std::byte(byte));
        set_factors(type, stored, [] { return 1.0f; });
        const size_t columns = type_layout(type).numbers;
        const Weights weights(type, 1, columns, stored);
        for (real x : {real(127), real(-127)}) {
          const std::vector<real> row(columns, x);
          wide sum = 0;
          for (real number : weights.numbers) sum += wide(number) * x;
          real y = 0;
          simd::multiply_packed(weights.packed, 1, row.data(), columns, &y, 1);
          CHECK(y == sum);
        }
      }
  };
  on_every_target(check);
  for (const auto& [name, kernels] : kernels_of_this_cpu()) {
    INFO("by " << name);
    const InUse in_use(kernels);
    check();
  }
}

TEST_CASE("elements of a product with weights in blocks depend on their own row and weights alone, to the last bit") {
  on_every_target([] {
    for (ElementType type : block_types()) {
      INFO(type_layout(type).name);
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
    const Weights weights(ElementType::q8_0, 16, 64, 31);
    for (real bad : {not_a_number, -not_a_number, infinity}) {
      std::vector<real> x(64, 1), y(16);
      x[40] = bad;
      simd::multiply_packed(weights.packed, 1, x.data(), 64, y.data(), 16);
      for (real value : y) CHECK(!std::isfinite(value));
    }
  });
}

TEST_CASE("kernels for weights in blocks give the same bits, whatever instructions they use") {
  const auto all = kernels_of_this_cpu();
  if (all.size() < 2) return skip_test("this CPU runs only one of them");
  for (ElementType type : block_types())
    for (const auto& [rows, n] : {std::pair<size_t, size_t>{16, 1}, {75, 37}, {5, 16}}) {
      INFO(type_layout(type).name << ", " << rows << " rows, " << n << " of activations");
      const size_t k = 512;
      const Weights weights(type, rows, k, 41);
      Guarded x(n * k, 42), expected(n * rows, 43), y(n * rows, 44);
      const auto multiply = [&, n = n](const simd::PackedKernels& kernels, Guarded& to) {
        const InUse in_use(kernels);
        simd::multiply_packed(weights.packed, n, x.data(), k, to.data(), weights.packed.rows);
      };
      multiply(all[0].second, expected);
      for (const auto& [name, kernels] : std::span(all).subspan(1)) {
        INFO("by " << name);
        multiply(kernels, y);
        size_t differ = 0;
        for (size_t i = 0; i < n * rows; ++i) differ += y[i] != expected[i];
        CHECK(differ == 0);
        REQUIRE(y.intact());
      }
    }
}
