// Whether code writes out what a primitive computes, or calls it: what a chapter teaches, a learner has to write.
#pragma once

#include <string>

#include "lib/simd/primitives.hpp"

namespace cria::testing {

/// Runs the code, and says which of the matrix product and the softmax it called; nothing when it called neither. Not
/// to be used while other threads compute. Use: CHECK(primitive_called([&] { … }) == "").
template <class Code>
std::string primitive_called(const Code& code) {
  static std::string called;
  static const simd::Primitives* usual;
  called.clear(), usual = &simd::active();
  simd::Primitives watched = *usual;
  watched.gemm = [](size_t m, size_t n, size_t k, simd::Matrix a, simd::Matrix b, real* c, size_t stride, bool add) {
    called = "calls matmul, and is to be written without it";
    usual->gemm(m, n, k, a, b, c, stride, add);
  };
  watched.softmax = [](real* x, size_t n) {
    called = "calls softmax, and is to be written without it";
    return usual->softmax(x, n);
  };
  struct Watch {
    explicit Watch(const simd::Primitives& watched) { simd::chosen_target = &watched; }
    ~Watch() { simd::chosen_target = usual; }
  } watch(watched);
  code();
  return called;
}

}  // namespace cria::testing
