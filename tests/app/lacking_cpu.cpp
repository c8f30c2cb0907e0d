// app/cpu_check.cpp in a program that asks for instructions that no CPU has, and would die of its first static object.
#include "app/cpu_features.hpp"

namespace cria {

using enum CpuFeature::Register;
using enum CpuFeature::State;

constexpr std::uint32_t no_leaf = 0x7fffffff;  // of CPUID

const CpuFeature cpu_features[] = {
    {"sse2", "1", 1, 0, edx, 26, none},              // which all have
    {"avx8", "__AVX8__", no_leaf, 0, eax, 0, none},  // not asked for
    {"avx9", "1", no_leaf, 0, eax, 0, none},
    {"avx10", "1", no_leaf, 0, eax, 0, avx512},
    {"avx11", "1", no_leaf, 0, eax, 0, none},
    {"avx12", "1", no_leaf, 0, eax, 0, none},
};
const std::size_t cpu_feature_count = sizeof(cpu_features) / sizeof(cpu_features[0]);

namespace {

const struct Illegal {
  Illegal() { __builtin_trap(); }
} illegal;

}  // namespace
}  // namespace cria

int main() {}
