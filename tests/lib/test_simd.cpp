// Every primitive over vectors on every target of this machine, against the same formula in wider arithmetic, over
// sizes that are no multiple of anything and starts that are not aligned. (The matrix product is in test_gemm.cpp.)
#include "tests/lib/simd_testing.hpp"

using namespace cria;
using namespace cria::testing;

TEST_CASE("every target that this machine has is there, and a target that it lacks is refused") {
  size_t ran = 0;
  on_every_target([&] { ++ran; });  // which fails when one is missing
  CHECK(ran == expected_targets().size());
  CHECK_THROWS_WITH(simd::select_target("mmx"), contains("mmx") && contains(expected_targets().back()));
}

TEST_CASE("dot and axpy agree with wider arithmetic for any size and start") {
  on_every_target([] {
    for (size_t n : sizes())
      for (size_t start : {0, 1, 3}) {
        INFO("n " << n << ", start " << start);
        Guarded x(n + start, 1), y(n + start, 2);
        wide sum = 0, size = 0;
        for (size_t i = start; i < n + start; ++i) sum += wide(x[i]) * y[i], size += std::abs(wide(x[i]) * y[i]);
        Worst dot, axpy;
        dot.see(simd::dot(x.data() + start, y.data() + start, n), sum, n * eps * size);
        REQUIRE(dot.ratio <= 1);

        const Guarded old = y;
        simd::axpy(real(0.7), x.data() + start, y.data() + start, n);
        for (size_t i = start; i < n + start; ++i) {
          const wide product = wide(real(0.7)) * x[i];
          axpy.see(y[i], old[i] + product, eps * (std::abs(product) + std::abs(wide(old[i]))));
        }
        REQUIRE(axpy.ratio <= 1);
        REQUIRE((start == 0 || y[start - 1] == old[start - 1]));
        REQUIRE(y.intact());
      }
  });
}

TEST_CASE("exp_minus is within one unit in the last place of the exponential, and right far out") {
  // Measured here: 0.89 in float, 0.85 in double (avx2, avx512); 0.51 portable, the C library's. The argument's own
  // rounding is avoided by an offset of 0.
  on_every_target([] {
    const real low = std::is_same_v<real, float> ? -86.6f : -707.6,
               high = std::is_same_v<real, float> ? 88.72f : 709.78;
    const size_t n = 200001;
    std::vector<real> x(n);
    for (size_t i = 0; i < n; ++i) x[i] = low + (high - low) * static_cast<real>(i) / static_cast<real>(n - 1);
    std::vector<real> y = x;
    simd::exp_minus(y.data(), 0, n);
    Worst ulps;
    for (size_t i = 0; i < n; ++i) {
      const wide expected = std::exp(wide(x[i]));
      const real rounded = static_cast<real>(expected);
      ulps.see(y[i], expected, wide(rounded) - std::nextafter(rounded, real(0)));
    }
    UNSCOPED_INFO("largest error in units in the last place: " << static_cast<double>(ulps.ratio));
    CHECK(ulps.ratio <= 1);

    // Below, results fade to 0: at once or through the subnormals, but never to anything else.
    std::vector<real> small(4000);
    for (size_t i = 0; i < small.size(); ++i) small[i] = low - static_cast<real>(i) / 16;
    simd::exp_minus(small.data(), 0, small.size());
    for (size_t i = 0; i < small.size(); ++i) REQUIRE((small[i] >= 0 && small[i] <= std::exp(low)));

    real edges[] = {0, -infinity, -1e30f, infinity, 1e30f, not_a_number, -real(0), 1000};
    simd::exp_minus(edges, 0, 8);
    CHECK(edges[0] == 1);
    CHECK(edges[1] == 0);
    CHECK(edges[2] == 0);
    CHECK(edges[3] == infinity);
    CHECK(edges[4] == infinity);
    CHECK(std::isnan(edges[5]));
    CHECK(edges[6] == 1);
    CHECK(edges[7] == infinity);
  });
}

TEST_CASE("exp_minus subtracts the offset and writes nothing else, for any size and start") {
  on_every_target([] {
    for (size_t n : sizes()) {
      INFO("n " << n);
      Guarded x(n + 1, 3, 5);
      const Guarded old = x;
      simd::exp_minus(x.data() + 1, real(1.25), n);
      Worst worst;
      // x - offset is rounded by half an eps of it, which exp turns into a relative error.
      for (size_t i = 1; i < n + 1; ++i) {
        const wide difference = wide(old[i]) - real(1.25);
        worst.see(x[i], std::exp(difference), (2 + std::abs(difference)) * eps * std::exp(difference));
      }
      REQUIRE(worst.ratio <= 1);
      REQUIRE(x[0] == old[0]);
      REQUIRE(x.intact());
    }
  });
}

TEST_CASE("softmax agrees with wider arithmetic and returns the logarithm of the sum of exponentials") {
  on_every_target([] {
    CHECK(simd::softmax(nullptr, 0) == 0);
    for (size_t n : sizes())
      for (double offset : {0.0, 5000.0}) {
        if (n == 0) continue;
        INFO("n " << n << ", offset " << offset);
        Guarded x(n + 1, 4, 6);
        for (size_t i = 1; i < n + 1; ++i) x[i] += static_cast<real>(offset);
        if (n > 3) x[2] = x[n / 2] = -infinity;
        const Guarded old = x;
        const real log_sum = simd::softmax(x.data() + 1, n);
        wide largest = -infinity, sum = 0;
        for (size_t i = 1; i < n + 1; ++i) largest = std::max<wide>(largest, old[i]);
        for (size_t i = 1; i < n + 1; ++i) sum += std::exp(old[i] - largest);
        Worst worst;
        for (size_t i = 1; i < n + 1; ++i) {
          const wide difference = old[i] - largest, expected = std::exp(difference) / sum;
          // The exponential as above; its sum, summed in n steps; the quotient.
          if (expected > 0)
            worst.see(x[i], expected, (6 + std::abs(difference) + n) * eps * expected);
          else
            REQUIRE(x[i] == 0);
        }
        REQUIRE(worst.ratio <= 1);
        Worst log_error;
        log_error.see(log_sum, largest + std::log(sum), eps * (std::abs(largest) + 2 * std::log(sum) + n));
        REQUIRE(log_error.ratio <= 1);
        REQUIRE(x[0] == old[0]);
        REQUIRE(x.intact());
      }
  });
}

TEST_CASE("softmax of nothing but -inf, and with NaN or +inf in it, is NaN everywhere") {
  on_every_target([] {
    for (size_t n : {1, 5, 16, 40})
      for (real bad : {not_a_number, infinity, -infinity})
        for (size_t at : {size_t(0), n / 2, n - 1}) {
          INFO("n " << n << ", " << bad << " at " << at);
          std::vector<real> x(n, bad == -infinity ? -infinity : real(0.5));
          x[at] = bad;
          CHECK(std::isnan(simd::softmax(x.data(), n)));
          for (real p : x) REQUIRE(std::isnan(p));
        }
  });
}

TEST_CASE("exp and sigmoid agree with wider arithmetic, far out as well, and in place") {
  on_every_target([] {
    for (size_t n : sizes())
      for (real sign : {1, -1})
        for (real offset : {real(0), real(-1.5)}) {
          INFO("n " << n << ", sign " << sign << ", offset " << offset);
          Guarded x(n + 1, 5, 4), y(n + 1, 6), z(n + 1, 7);
          if (n > 2) x[1] = 100, x[n] = -100, x[2] = -1000;
          const Guarded old_y = y, old_z = z;
          simd::exp(x.data() + 1, sign, offset, y.data() + 1, n);
          simd::sigmoid(x.data() + 1, sign, offset, z.data() + 1, n);
          Worst exponential, sigmoid;
          for (size_t i = 1; i < n + 1; ++i) {
            const real argument = sign * x[i] + offset;
            const wide e = std::exp(wide(argument)), s = 1 / (1 + std::exp(-wide(argument)));
            if (e < wide(std::numeric_limits<real>::max()) && e > 8 * wide(std::numeric_limits<real>::min()))
              exponential.see(y[i], e, 2 * eps * e);
            else if (argument > 0)
              REQUIRE(y[i] == infinity);
            else  // 0 as vectors have it, or what is left of a number without its leading 1
              REQUIRE((y[i] >= 0 && wide(y[i]) <= 8 * wide(std::numeric_limits<real>::min())));
            // Roundings: exp has 2, sum and quotient one each. Below 2^-125 exp may be 0, and so may a sigmoid.
            sigmoid.see(z[i], s, 4 * eps * s + 8 * wide(std::numeric_limits<real>::min()));
          }
          REQUIRE(exponential.ratio <= 1);
          REQUIRE(sigmoid.ratio <= 1);
          REQUIRE((y[0] == old_y[0] && z[0] == old_z[0]));
          REQUIRE((y.intact() && z.intact()));

          Guarded in_place = x;
          simd::exp(in_place.data() + 1, sign, offset, in_place.data() + 1, n);
          for (size_t i = 1; i < n + 1; ++i) REQUIRE(in_place[i] == y[i]);
          in_place = x;
          simd::sigmoid(in_place.data() + 1, sign, offset, in_place.data() + 1, n);
          for (size_t i = 1; i < n + 1; ++i) REQUIRE(in_place[i] == z[i]);
        }
  });
}
