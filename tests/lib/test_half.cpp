// Numbers of 16 bits on every target of this machine: all 65536 of each kind, every float that lies between two of them
// in a way that matters, and dot products of any size from any start. And blocks of 8 bits, whose scales they are.
#include <bit>

#include "tests/lib/simd_testing.hpp"

using namespace cria;
using namespace cria::testing;
using simd::BFloat16, simd::BlockQ8_0, simd::Float16;

namespace {

/// The definition: sign, exponent and mantissa of so many bits.
double value_of(std::uint16_t bits, int mantissa_bits) {
  const int exponent_bits = 15 - mantissa_bits, bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = (bits & 0x7fff) >> mantissa_bits, mantissa = bits & ((1 << mantissa_bits) - 1);
  const double sign = bits & 0x8000 ? -1 : 1;
  if (exponent == (1 << exponent_bits) - 1) return mantissa ? NAN : sign * INFINITY;
  if (exponent == 0) return sign * std::ldexp(mantissa, 1 - bias - mantissa_bits);
  return sign * std::ldexp(mantissa + (1 << mantissa_bits), exponent - bias - mantissa_bits);
}
double value_of(Float16 x) { return value_of(x.bits, 10); }
double value_of(BFloat16 x) { return value_of(x.bits, 7); }

template <class Stored>
std::vector<Stored> all_numbers() {
  std::vector<Stored> all(65536);
  for (size_t i = 0; i < all.size(); ++i) all[i] = {static_cast<std::uint16_t>(i)};
  return all;
}

template <class Stored>
void check_widening() {
  const std::vector<Stored> stored = all_numbers<Stored>();
  std::vector<real> wide(stored.size());
  simd::widen(stored.data(), wide.data(), stored.size());
  size_t wrong = 0;
  for (size_t i = 0; i < stored.size(); ++i) {
    const double expected = value_of(stored[i]);
    wrong += std::isnan(expected) ? !std::isnan(wide[i])
                                  : wide[i] != real(expected) || std::signbit(wide[i]) != std::signbit(expected);
  }
  CHECK(wrong == 0);
}

/// Every number, what lies halfway to the next one, and the floats on both sides of that.
template <class Stored>
void check_narrowing() {
  constexpr std::uint16_t infinite = std::is_same_v<Stored, Float16> ? 0x7c00 : 0x7f80;
  std::vector<real> numbers;
  std::vector<std::uint16_t> expected;
  for (unsigned sign : {0u, 0x8000u})
    for (unsigned bits = 0; bits < infinite; ++bits) {
      const auto here = static_cast<std::uint16_t>(sign | bits), next = static_cast<std::uint16_t>(sign | (bits + 1));
      // Beyond the largest number stands infinity, at the place where the next number would be.
      const double upper = bits + 1 < infinite
                               ? value_of(Stored{next})
                               : 2 * value_of(Stored{here}) - value_of(Stored{static_cast<std::uint16_t>(here - 1)});
      const auto middle = static_cast<float>((value_of(Stored{here}) + upper) / 2);
      const float away = sign ? -INFINITY : INFINITY;
      numbers.insert(numbers.end(), {real(value_of(Stored{here})), real(middle), real(std::nextafter(middle, 0.f)),
                                     real(std::nextafter(middle, away))});
      expected.insert(expected.end(), {here, bits % 2 == 0 ? here : next, here, next});
    }
  std::vector<Stored> narrowed(numbers.size());
  simd::narrow(numbers.data(), narrowed.data(), numbers.size());
  size_t wrong = 0, first_wrong = 0;
  for (size_t i = numbers.size(); i-- > 0;)
    if (narrowed[i].bits != expected[i]) ++wrong, first_wrong = i;
  INFO("the first: " << numbers[first_wrong] << " gives " << narrowed[first_wrong].bits << ", not "
                     << expected[first_wrong]);
  CHECK(wrong == 0);

  const real edges[] = {infinity, -infinity, real(1e38) * 4, not_a_number, -not_a_number, real(1e-45)};
  Stored results[6];
  simd::narrow(edges, results, 6);
  CHECK(results[0].bits == infinite);
  CHECK(results[1].bits == (infinite | 0x8000));
  CHECK(results[2].bits == infinite);
  CHECK(std::isnan(value_of(results[3])));
  CHECK(std::isnan(value_of(results[4])));
  CHECK(results[5].bits == 0);
  // A NaN whose payload is only in the bits that fall away must not become infinity.
  const real hidden = real(std::bit_cast<float>(0x7f800001u));
  simd::narrow(&hidden, results, 1);
  CHECK(std::isnan(value_of(results[0])));
}

template <class Stored>
void check_any_size() {
  for (size_t n : sizes())
    for (size_t start : {0, 1, 3}) {
      INFO("n " << n << ", start " << start);
      Guarded x(n + start, 21), y(n + start, 22), widened(n + start, 23);
      const Guarded old = widened;
      std::vector<Stored> stored(n + start + 2, Stored{0x1234});
      simd::narrow(x.data() + start, stored.data() + start, n);
      for (size_t i = 0; i < start; ++i) REQUIRE(stored[i].bits == 0x1234);
      REQUIRE((stored[n + start].bits == 0x1234 && stored[n + start + 1].bits == 0x1234));
      simd::widen(stored.data() + start, widened.data() + start, n);
      wide sum = 0, size = 0;
      size_t wrong = 0;
      for (size_t i = start; i < n + start; ++i) {
        const double number = value_of(stored[i]);
        wrong += widened[i] != real(number);
        sum += wide(number) * y[i], size += std::abs(wide(number) * y[i]);
      }
      REQUIRE(wrong == 0);
      Worst worst;
      worst.see(simd::dot(stored.data() + start, y.data() + start, n), sum, n * eps * size);
      REQUIRE(worst.ratio <= 1);
      REQUIRE((start == 0 || widened[start - 1] == old[start - 1]));
      REQUIRE(widened.intact());
    }
}

}  // namespace

TEST_CASE("all numbers of 16 bits become the floats that they are") {
  on_every_target([] {
    check_widening<Float16>();
    check_widening<BFloat16>();
  });
}

TEST_CASE("a float becomes the nearest number of 16 bits, the even one in doubt; NaN stays NaN") {
  on_every_target([] {
    check_narrowing<Float16>();
    check_narrowing<BFloat16>();
  });
}

TEST_CASE("numbers of 16 bits are converted and multiplied for any size and start") {
  on_every_target([] {
    check_any_size<Float16>();
    check_any_size<BFloat16>();
  });
}

TEST_CASE("blocks of 8 bits become the numbers that they stand for, with any scale") {
  on_every_target([] {
    constexpr size_t count = 65536;
    std::vector<BlockQ8_0> blocks(count);
    for (size_t b = 0; b < count; ++b) {
      blocks[b].scale = static_cast<std::uint16_t>(b);
      for (size_t i = 0; i < 32; ++i) blocks[b].codes[i] = static_cast<std::int8_t>(37 * b + 9 * i);
    }
    Guarded wide(32 * count, 1);
    simd::widen(blocks.data(), wide.data(), count);
    size_t wrong = 0;
    for (size_t n = 0; n < 32 * count; ++n) {
      const double expected = value_of(Float16{blocks[n / 32].scale}) * blocks[n / 32].codes[n % 32];
      wrong += std::isnan(expected) ? !std::isnan(wide[n]) : wide[n] != real(expected);
    }
    CHECK(wrong == 0);
    CHECK(wide.intact());
  });
}

TEST_CASE("numbers become the nearest codes of a block, and its scale the nearest float16") {
  on_every_target([] {
    for (const double size : {1e-6, 1.0, 3e5}) {
      INFO("size " << size);
      Guarded x(32 * 50, 2, size);
      for (size_t i = 0; i < 32; ++i) x[i] = 0;  // a block of zeros
      BlockQ8_0 blocks[51];
      blocks[50].scale = 0x1234;
      simd::narrow(x.data(), blocks, 50);
      CHECK(blocks[50].scale == 0x1234);
      CHECK(blocks[0].scale == 0);
      for (size_t b = 0; b < 50; ++b) {
        double largest = 0;
        for (size_t i = 0; i < 32; ++i) largest = std::max(largest, std::abs(double(x[32 * b + i])));
        const double step = largest / 127;
        REQUIRE(std::abs(value_of(Float16{blocks[b].scale}) - step) <= step / 2048 * 1.001 + 0x1p-25);
        for (size_t i = 0; i < 32; ++i) REQUIRE(std::abs(step * blocks[b].codes[i] - x[32 * b + i]) <= step * 0.5001);
      }
    }
    for (const real odd : {not_a_number, infinity, real(1e7)}) {
      Guarded x(32, 3);
      x[7] = odd;
      BlockQ8_0 block;
      simd::narrow(x.data(), &block, 1);
      CHECK(!std::isfinite(value_of(Float16{block.scale})));
    }
  });
}
