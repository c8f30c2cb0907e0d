// Compiled as all of the program is, so that the compiler's macros say what it was allowed to use. Data only: nothing
// here runs. The places of the bits are from Intel's manual (volume 2A, CPUID), LZCNT's from AMD's. Left out: what a
// compiler never uses unasked (AES, SHA, AMX …), and other architectures.
#include "app/cpu_features.hpp"

// The expansion of a macro as text: "1" when it is defined, else its own name.
#define CRIA_TEXT(text) #text
#define CRIA_EXPANSION(macro) CRIA_TEXT(macro)

namespace cria {

using enum CpuFeature::Register;
using enum CpuFeature::State;

const CpuFeature cpu_features[] = {
    {"sse3", CRIA_EXPANSION(__SSE3__), 1, 0, ecx, 0, none},
    {"ssse3", CRIA_EXPANSION(__SSSE3__), 1, 0, ecx, 9, none},
    {"fma", CRIA_EXPANSION(__FMA__), 1, 0, ecx, 12, avx},
    {"sse4.1", CRIA_EXPANSION(__SSE4_1__), 1, 0, ecx, 19, none},
    {"sse4.2", CRIA_EXPANSION(__SSE4_2__), 1, 0, ecx, 20, none},
    {"movbe", CRIA_EXPANSION(__MOVBE__), 1, 0, ecx, 22, none},
    {"popcnt", CRIA_EXPANSION(__POPCNT__), 1, 0, ecx, 23, none},
    {"avx", CRIA_EXPANSION(__AVX__), 1, 0, ecx, 28, avx},
    {"f16c", CRIA_EXPANSION(__F16C__), 1, 0, ecx, 29, avx},
    {"bmi1", CRIA_EXPANSION(__BMI__), 7, 0, ebx, 3, none},
    {"avx2", CRIA_EXPANSION(__AVX2__), 7, 0, ebx, 5, avx},
    {"bmi2", CRIA_EXPANSION(__BMI2__), 7, 0, ebx, 8, none},
    {"avx512f", CRIA_EXPANSION(__AVX512F__), 7, 0, ebx, 16, avx512},
    {"avx512dq", CRIA_EXPANSION(__AVX512DQ__), 7, 0, ebx, 17, avx512},
    {"avx512ifma", CRIA_EXPANSION(__AVX512IFMA__), 7, 0, ebx, 21, avx512},
    {"avx512cd", CRIA_EXPANSION(__AVX512CD__), 7, 0, ebx, 28, avx512},
    {"avx512bw", CRIA_EXPANSION(__AVX512BW__), 7, 0, ebx, 30, avx512},
    {"avx512vl", CRIA_EXPANSION(__AVX512VL__), 7, 0, ebx, 31, avx512},
    {"avx512vbmi", CRIA_EXPANSION(__AVX512VBMI__), 7, 0, ecx, 1, avx512},
    {"avx512vbmi2", CRIA_EXPANSION(__AVX512VBMI2__), 7, 0, ecx, 6, avx512},
    {"gfni", CRIA_EXPANSION(__GFNI__), 7, 0, ecx, 8, none},
    {"avx512vnni", CRIA_EXPANSION(__AVX512VNNI__), 7, 0, ecx, 11, avx512},
    {"avx512bitalg", CRIA_EXPANSION(__AVX512BITALG__), 7, 0, ecx, 12, avx512},
    {"avx512vpopcntdq", CRIA_EXPANSION(__AVX512VPOPCNTDQ__), 7, 0, ecx, 14, avx512},
    {"avx512fp16", CRIA_EXPANSION(__AVX512FP16__), 7, 0, edx, 23, avx512},
    {"avxvnni", CRIA_EXPANSION(__AVXVNNI__), 7, 1, eax, 4, avx},
    {"avx512bf16", CRIA_EXPANSION(__AVX512BF16__), 7, 1, eax, 5, avx512},
    {"lzcnt", CRIA_EXPANSION(__LZCNT__), 0x80000001, 0, ecx, 5, none},
};
const std::size_t cpu_feature_count = sizeof(cpu_features) / sizeof(cpu_features[0]);

}  // namespace cria
