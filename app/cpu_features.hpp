// What this program asks of an x86 CPU beyond the first x86-64: the instructions that its compiler was allowed to use.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cria {

struct CpuFeature {
  enum Register : std::uint8_t { eax, ebx, ecx, edx };
  enum State : std::uint8_t { none, avx, avx512 };  // registers that the system has to save
  const char* name;
  const char* asked;            // "1" if so
  std::uint32_t leaf, subleaf;  // of the instruction CPUID
  Register where;
  std::uint8_t bit;
  State state;
};

extern const CpuFeature cpu_features[];
extern const std::size_t cpu_feature_count;

}  // namespace cria
