// Ends the program with one line, before anything else of it runs, where the CPU lacks instructions that it was
// compiled for: an older machine that the build was copied to. Else the first of them would end it without a word
// (SIGILL).
//
// Compiled for the first CPUs of the architecture (CMakeLists.txt), and without a function of any library but write and
// _exit. Static objects of other files are made later, as this has the first priority that programs may have. Left out:
// other architectures than x86-64.
#include "app/cpu_features.hpp"

#ifdef __x86_64__
#include <cpuid.h>
#include <unistd.h>

namespace cria {
namespace {

/// The registers whose state the system saves (XCR0). As bytes: assemblers of old do not know xgetbv.
std::uint32_t saved_state() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 27 & 1)) return 0;  // OSXSAVE
  std::uint32_t low = 0, high = 0;
  __asm__ volatile(".byte 0x0f, 0x01, 0xd0" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

bool has(const CpuFeature& feature, std::uint32_t state) {
  constexpr std::uint32_t needed[] = {0, 0x6, 0xe6};  // of State: nothing, ymm, zmm and masks
  unsigned registers[4] = {};
  return (state & needed[feature.state]) == needed[feature.state] &&
         __get_cpuid_count(feature.leaf, feature.subleaf, &registers[0], &registers[1], &registers[2], &registers[3]) &&
         (registers[feature.where] >> feature.bit & 1);
}

void say(const char* text) {
  std::size_t size = 0;
  while (text[size]) ++size;
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text, size);
}

[[gnu::constructor(101)]] void check_cpu() {
  const std::uint32_t state = saved_state();
  int lacking = 0;
  for (std::size_t i = 0; i < cpu_feature_count; ++i) {
    const CpuFeature& feature = cpu_features[i];
    if (feature.asked[0] != '1' || has(feature, state)) continue;
    if (++lacking > 3) continue;
    say(lacking == 1 ? "cria: built for another CPU, as this one lacks " : ", ");
    say(feature.name);
  }
  if (lacking == 0) return;
  if (lacking > 3) say(" and more");
  say("; build it here (./cria does), or with the preset portable\n");
  ::_exit(2);
}

}  // namespace
}  // namespace cria
#endif
