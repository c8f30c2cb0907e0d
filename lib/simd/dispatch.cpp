// Chooses the target when the program starts.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <cstdlib>
#include <string>

#include "lib/base/check.hpp"
#include "lib/simd/targets.hpp"

#ifdef CRIA_TARGET_AVX2
#include <cpuid.h>
#endif

namespace cria::simd {
namespace {

struct Target {
  const Primitives& (*primitives)();
  bool (*runs_here)();
};

#ifdef CRIA_TARGET_AVX2
// clang 14 has no __builtin_cpu_supports for it.
bool supports_f16c() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}
#endif

// The plainest first, the best last.
const Target targets[] = {
    {portable::primitives, [] { return true; }},
#ifdef CRIA_TARGET_AVX2
    {avx2::primitives,
     [] { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && supports_f16c(); }},
#endif
#ifdef CRIA_TARGET_AVX512
    {avx512::primitives,
     [] {
       return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
              __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
              __builtin_cpu_supports("avx512vl");
     }},
#endif
#ifdef CRIA_TARGET_NEON
    {neon::primitives, [] { return true; }},
#endif
};

const Primitives* find(std::string_view name) {
  for (const Target& target : targets)
    if (target.runs_here() && name == target.primitives().target) return &target.primitives();
  return nullptr;
}

const Primitives* choose(const char* wanted) {
  if (wanted && *wanted) {
    if (const Primitives* found = find(wanted)) return found;
    throw UserError(fmt::format("SIMD target {} is not one that this program and CPU have: {}", wanted,
                                fmt::join(available_targets(), ", ")));
  }
  return find(available_targets().back());
}

}  // namespace

std::atomic<const Primitives*> chosen_target = nullptr;

const Primitives& choose_target() {
  const Primitives* primitives = choose(std::getenv("CRIA_SIMD"));
  chosen_target = primitives;
  return *primitives;
}

std::vector<std::string_view> available_targets() {
  std::vector<std::string_view> names;
  for (const Target& target : targets)
    if (target.runs_here()) names.push_back(target.primitives().target);
  return names;
}

bool target_available(std::string_view name) { return find(name) != nullptr; }

const CodeLimit& code_limit(std::string_view target) { return choose(std::string(target).c_str())->packed.limit; }

void select_target(std::string_view name) { chosen_target = choose(std::string(name).c_str()); }

}  // namespace cria::simd
