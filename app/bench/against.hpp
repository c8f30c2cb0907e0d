// Another library's matrix product, found when the program runs: nothing of it is needed to build or to start cria.
#pragma once

#include <cstddef>
#include <string>

#include "lib/simd/primitives.hpp"

namespace cria::bench {

class OtherGemm {
 public:
  /// "openblas" or "onednn". Throws UserError when the library is not installed (naming Debian's package), and for any
  /// other name.
  explicit OtherGemm(const std::string& name);

  const std::string& name() const { return name_; }

  /// C (m, n) = A B on as many threads as set_threads said; as simd::gemm, but every matrix has rows or columns in one
  /// piece.
  void operator()(size_t m, size_t n, size_t k, simd::Matrix a, simd::Matrix b, real* c, size_t c_stride) const;
  void set_threads(size_t threads) const;

 private:
  std::string name_;
  void* product_ = nullptr;
  void (*set_threads_)(int) = nullptr;
};

}  // namespace cria::bench
