// The primitives: the few loops in which nearly all time is spent. Everything else is written with them.
//
// Each has one plain implementation (portable.cpp, the one to read first) and SIMD versions written once over xsimd
// (kernels.hpp) and compiled for each instruction set. Which set runs is decided when the program starts: the best one
// that the CPU has, or the one that CRIA_SIMD=portable|avx2|avx512|neon names.
//
// Pointers may be unaligned; sizes may be anything, zero included. Inputs and outputs do not overlap unless said.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "lib/base/real.hpp"
#include "lib/simd/packed.hpp"

namespace cria::simd {

using std::size_t;

/// A matrix in memory: element (i, j) is data[i * row_stride + j * column_stride], so a transpose is a change of
/// strides and not of memory.
struct Matrix {
  const real* data;
  size_t row_stride;
  size_t column_stride = 1;

  Matrix transposed() const { return {data, column_stride, row_stride}; }
};

/// Numbers of 16 bits, as weights are stored: IEEE 754 binary16 (1 factor bit, 5 of exponent, 10 of mantissa), and the
/// upper half of a float.
struct Float16 {
  std::uint16_t bits;
};
struct BFloat16 {
  std::uint16_t bits;
};

/// What a target provides. The functions below call the active one.
struct Primitives {
  const char* target;
  real (*dot)(const real* x, const real* y, size_t n);
  void (*axpy)(real a, const real* x, real* y, size_t n);
  void (*gemm)(size_t m, size_t n, size_t k, Matrix a, Matrix b, real* c, size_t c_stride, bool accumulate);
  void (*multiply_each_row)(size_t m, size_t n, size_t k, const real* x, size_t x_stride, const real* w,
                            size_t w_stride, real* y, size_t y_stride);
  real (*softmax)(real* x, size_t n);
  void (*exp)(const real* x, real factor, real offset, real* y, size_t n);
  void (*sigmoid)(const real* x, real factor, real offset, real* y, size_t n);
  void (*widen_float16)(const Float16* x, real* y, size_t n);
  void (*widen_bfloat16)(const BFloat16* x, real* y, size_t n);
  void (*widen_q8_0)(const BlockQ8_0* x, real* y, size_t blocks);
  void (*narrow_float16)(const real* x, Float16* y, size_t n);
  void (*narrow_bfloat16)(const real* x, BFloat16* y, size_t n);
  real (*dot_float16)(const Float16* x, const real* y, size_t n);
  real (*dot_bfloat16)(const BFloat16* x, const real* y, size_t n);
  PackedKernels packed;  // see packed.hpp, which calls them
};

/// Those of the best target that this CPU can run, or of the one that CRIA_SIMD names.
const Primitives& choose_target();
/// What runs now; null before anything has run. (In a header, as every primitive asks for it.)
extern std::atomic<const Primitives*> chosen_target;

/// The primitives that run now.
inline const Primitives& active() {
  const Primitives* chosen = chosen_target.load(std::memory_order_acquire);  // another thread may have made them
  return chosen ? *chosen : choose_target();
}

/// Names of the targets that this program has and this CPU can run, the best last.
std::vector<std::string_view> available_targets();
bool target_available(std::string_view name);

/// Makes a target active; throws UserError naming the available ones when it is not among them. For tests and benches:
/// not to be called while other threads compute.
void select_target(std::string_view name);

/// Σ x[i] y[i]
inline real dot(const real* x, const real* y, size_t n) { return active().dot(x, y, n); }

/// y += a x
inline void axpy(real a, const real* x, real* y, size_t n) { active().axpy(a, x, y, n); }

/// C = A B, or C += A B with `accumulate`; A is (m, k), B is (k, n), C is (m, n) with rows c_stride apart.
/// Runs on the calling thread. Every element is summed in an order that depends on k and the strides alone, so a
/// product divided among threads by rows (more than 4 in each part) or columns has the same bits however it is divided.
inline void gemm(size_t m, size_t n, size_t k, Matrix a, Matrix b, real* c, size_t c_stride, bool accumulate = false) {
  active().gemm(m, n, k, a, b, c, c_stride, accumulate);
}

/// y = x Wᵀ for m rows x and y, and W (n, k), all stored by rows: in each row the bits that gemm gives for that row
/// alone, whatever the others are.
inline void multiply_each_row(size_t m, size_t n, size_t k, const real* x, size_t x_stride, const real* w,
                              size_t w_stride, real* y, size_t y_stride) {
  active().multiply_each_row(m, n, k, x, x_stride, w, w_stride, y, y_stride);
}

/// x = softmax(x) in place; returns log Σ exp(x), from which any row of probabilities can be formed again as
/// exp(x - returned). The largest entry is subtracted first, so no entry overflows; -inf entries become 0. A row of
/// nothing but -inf, and one with NaN or +inf, becomes NaN.
inline real softmax(real* x, size_t n) { return active().softmax(x, n); }

/// y = exp(factor x + offset); y may be x.
inline void exp(const real* x, real factor, real offset, real* y, size_t n) { active().exp(x, factor, offset, y, n); }

/// x = exp(x - offset) in place.
inline void exp_minus(real* x, real offset, size_t n) { exp(x, 1, -offset, x, n); }

/// y = 1 / (1 + exp(-(factor x + offset))): 0 and 1 far out. y may be x.
inline void sigmoid(const real* x, real factor, real offset, real* y, size_t n) {
  active().sigmoid(x, factor, offset, y, n);
}

/// y = x, exactly; NaN stays NaN.
inline void widen(const Float16* x, real* y, size_t n) { active().widen_float16(x, y, n); }
inline void widen(const BFloat16* x, real* y, size_t n) { active().widen_bfloat16(x, y, n); }

/// y = scale code, of 32 numbers for each block; of a scale that is NaN or infinite, no finite number but 0.
inline void widen(const BlockQ8_0* x, real* y, size_t blocks) { active().widen_q8_0(x, y, blocks); }

/// y = x, rounded to the nearest number, of two to the one whose last bit is 0; to infinity when x is too large. NaN
/// stays NaN. (A double is rounded to float first.)
inline void narrow(const real* x, Float16* y, size_t n) { active().narrow_float16(x, y, n); }
inline void narrow(const real* x, BFloat16* y, size_t n) { active().narrow_bfloat16(x, y, n); }

/// Blocks of 32 numbers, each with scale = largest |x| / 127, as a float16, and the nearest codes. Of a block with NaN,
/// infinity, or a number too large for the scale, the scale is NaN or infinite.
void narrow(const real* x, BlockQ8_0* y, size_t blocks);

/// Σ x[i] y[i], computed in `real`.
inline real dot(const Float16* x, const real* y, size_t n) { return active().dot_float16(x, y, n); }
inline real dot(const BFloat16* x, const real* y, size_t n) { return active().dot_bfloat16(x, y, n); }

}  // namespace cria::simd
