// The primitives of lib/simd alone, on one thread, in data that fits into L1 or L2: how good the kernels themselves
// are.
#include "lib/simd/primitives.hpp"
#include "app/bench/sections.hpp"

namespace cria::bench {
namespace {

/// A primitive that goes over `arrays` arrays of n numbers, counting one twice that is read and written.
Case over_vectors(const char* name, size_t n, double operations, double arrays, std::function<Case::Run()> prepare) {
  const double bytes = arrays * double(n) * sizeof(real);
  return {.name = name,
          .shape = std::to_string(n),
          .unit = "GB/s",
          .amount = bytes * 1e-9,
          .work = {operations * double(n), bytes, static_cast<size_t>(bytes)},
          .prepare = std::move(prepare)};
}

/// Numbers of 16 bits: to `real` and back, and multiplied as they are.
template <class Half>
void add_half(std::vector<Case>& cases, const char* type, size_t n) {
  const auto add = [&](const char* name, double operations, auto run) {
    const double bytes = double(n * (sizeof(Half) + sizeof(real)));
    cases.push_back({.name = name,
                     .shape = std::to_string(n),
                     .type = type,
                     .unit = "GB/s",
                     .amount = bytes * 1e-9,
                     .work = {operations * double(n), bytes, static_cast<size_t>(bytes)},
                     .prepare = [=] {
                       const RandomNumbers numbers(n);
                       std::vector<Half> halves(n);
                       simd::narrow(numbers.data(), halves.data(), n);
                       return [=, halves = std::move(halves)]() mutable { run(halves.data(), numbers.data()); };
                     }});
  };
  add("widen", 0, [n](const Half* x, real* y) { simd::widen(x, y, n); });
  add("narrow", 0, [n](Half* x, const real* y) { simd::narrow(y, x, n); });
  add("dot", 2, [n](const Half* x, const real* y) { keep(simd::dot(x, y, n)); });
}

/// C (m, n) of inner dimension k. y = x Wᵀ, dX = dy W and dW = dyᵀ x differ in how the operands lie in memory.
Case product(const char* name, size_t m, size_t n, size_t k, bool left_transposed, bool right_transposed) {
  const double operations = 2.0 * double(m) * double(n) * double(k);
  const size_t bytes = (m * k + n * k + m * n) * sizeof(real);
  return {.name = name,
          .shape = std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k),
          .unit = "GFLOP/s",
          .amount = operations * 1e-9,
          .work = {operations, double(bytes), bytes},
          .prepare = [=] {
            return [=, a = RandomNumbers(m * k), b = RandomNumbers(n * k), c = RandomNumbers(m * n)] {
              const simd::Matrix left =
                  left_transposed ? simd::Matrix{a.data(), m}.transposed() : simd::Matrix{a.data(), k};
              const simd::Matrix right =
                  right_transposed ? simd::Matrix{b.data(), k}.transposed() : simd::Matrix{b.data(), n};
              simd::gemm(m, n, k, left, right, c.data(), n);
            };
          }};
}

std::vector<Case> on_one_target() {
  constexpr size_t n = 2048, row = 256;
  std::vector<Case> cases;
  cases.push_back(over_vectors("dot", n, 2, 2, [] {
    return [x = RandomNumbers(n), y = RandomNumbers(n)] { keep(simd::dot(x.data(), y.data(), n)); };
  }));
  Case axpy = over_vectors("axpy", n, 2, 3, [] {
    return [x = RandomNumbers(n), y = RandomNumbers(n)] { simd::axpy(real(1e-9), x.data(), y.data(), n); };
  });
  axpy.work.bytes *= 2.0 / 3;  // L1 takes a store beside two loads, so that only reading has to wait
  cases.push_back(std::move(axpy));
  // In place, again and again: the numbers settle (all 1/n; 0.16), which takes no less time.
  cases.push_back(over_vectors("softmax", row, exponential_operations + 4, 2,
                               [] { return [x = RandomNumbers(row, 5)] { keep(simd::softmax(x.data(), row)); }; }));
  cases.push_back(over_vectors("exp", row, exponential_operations + 1, 2, [] {
    return [x = RandomNumbers(row), y = RandomNumbers(row)] { simd::exp(x.data(), 1, -2, y.data(), row); };
  }));
  cases.push_back(over_vectors("sigmoid", row, exponential_operations + 3, 2, [] {
    return [x = RandomNumbers(row, 5), y = RandomNumbers(row)] { simd::sigmoid(x.data(), 1, 0, y.data(), row); };
  }));
  add_half<simd::Float16>(cases, "f16", n);
  add_half<simd::BFloat16>(cases, "bf16", n);
  cases.push_back(product("gemv", 1, 768, 288, false, true));
  cases.push_back(product("gemm", 256, 288, 288, false, true));
  cases.push_back(product("gemm dX", 256, 288, 288, false, false));
  cases.push_back(product("gemm dW", 256, 288, 288, true, false));
  return cases;
}

}  // namespace

std::vector<Case> primitive_cases(const Setting&) {
  std::vector<Case> cases;
  for (const std::string_view target : simd::available_targets())
    for (Case& c : on_one_target()) {
      c.target = target;
      cases.push_back(std::move(c));
    }
  return cases;
}

}  // namespace cria::bench
