// Loops that do nothing useful as fast as an instruction set can, to measure what a CPU has to give: its
// multiply-adds, and its reading of memory. `cria bench` holds the primitives against them.
//
// They are compiled with their target's flags (limit_kernels.hpp), but are no primitives: nothing computes with them.
#pragma once

#include <cstddef>
#include <string_view>

#include "lib/base/real.hpp"
#include "lib/simd/packed.hpp"

namespace cria::simd {

struct LimitLoops {
  /// So many rounds of multiply-adds in registers, none waiting for another; returns something that depends on all.
  real (*multiply_add)(std::size_t rounds, real factor, real summand);
  std::size_t operations_per_round;  // a multiply-add counts as two
  /// Σ x[i], by as many loads at a time as the CPU has ports for.
  real (*read)(const real* x, std::size_t n);
};

/// Those of a target that is available on this machine (see primitives.hpp).
const LimitLoops& limit_loops(std::string_view target);

/// The same for codes of weights in blocks; its loop belongs to the kernels that the target has on this CPU.
const CodeLimit& code_limit(std::string_view target);

}  // namespace cria::simd
