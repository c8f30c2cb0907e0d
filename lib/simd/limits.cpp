#include "lib/simd/limits.hpp"

#include "lib/simd/targets.hpp"

namespace cria::simd {
namespace portable {
namespace {

// Enough sums for the registers of any CPU, in whatever vectors the compiler was allowed to use.
constexpr std::size_t sums = 96;

real multiply_add(std::size_t rounds, real factor, real summand) {
  real sum[sums];
  for (std::size_t s = 0; s < sums; ++s) sum[s] = real(s);
  for (std::size_t round = 0; round < rounds; ++round)
#pragma GCC unroll 96
    for (std::size_t s = 0; s < sums; ++s) sum[s] = sum[s] * factor + summand;
  real total = 0;
  for (real value : sum) total += value;
  return total;
}

real read(const real* x, std::size_t n) {
  real sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::size_t i = 0; i < n; ++i) sum += x[i];
  return sum;
}

}  // namespace

const LimitLoops& limit_loops() {
  static constexpr LimitLoops loops = {multiply_add, 2 * sums, read};
  return loops;
}

}  // namespace portable

const LimitLoops& limit_loops([[maybe_unused]] std::string_view target) {
#ifdef CRIA_TARGET_AVX2
  if (target == "avx2") return avx2::limit_loops();
#endif
#ifdef CRIA_TARGET_AVX512
  if (target == "avx512") return avx512::limit_loops();
#endif
#ifdef CRIA_TARGET_NEON
  if (target == "neon") return neon::limit_loops();
#endif
  return portable::limit_loops();
}

}  // namespace cria::simd
