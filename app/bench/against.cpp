#include "app/bench/against.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdint>
#include <initializer_list>

#include "lib/base/check.hpp"

namespace cria::bench {
namespace {

constexpr bool in_double = sizeof(real) == sizeof(double);

void* open_first(const std::string& name, std::initializer_list<const char*> files, const char* package) {
  for (const char* file : files)
    if (void* library = ::dlopen(file, RTLD_NOW | RTLD_LOCAL)) return library;
  throw UserError(
      fmt::format("--against {}: {} is not installed; Debian has it in the package {}", name, *files.begin(), package));
}

void* find(void* library, const char* function, const std::string& name) {
  if (void* found = ::dlsym(library, function)) return found;
  throw UserError(fmt::format("--against {}: the installed library has no {}", name, function));
}

/// A transposed matrix has columns in one piece; the libraries want to know which, and how far apart they are.
bool transposed(const simd::Matrix& x) { return x.column_stride != 1; }
std::int64_t stride(const simd::Matrix& x) {
  return static_cast<std::int64_t>(transposed(x) ? x.column_stride : x.row_stride);
}

// cblas_sgemm, with the numbers that its enumerations have.
using CblasGemm = void (*)(int order, int transpose_a, int transpose_b, int m, int n, int k, real alpha, const real* a,
                           int a_stride, const real* b, int b_stride, real beta, real* c, int c_stride);
constexpr int row_major = 101, no_transpose = 111, transpose = 112;

using DnnlGemm = int (*)(char transpose_a, char transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, real alpha,
                         const real* a, std::int64_t a_stride, const real* b, std::int64_t b_stride, real beta, real* c,
                         std::int64_t c_stride);

}  // namespace

OtherGemm::OtherGemm(const std::string& name) : name_(name) {
  if (name == "openblas") {
    void* library = open_first(name, {"libopenblas.so.0"}, "libopenblas0");
    product_ = find(library, in_double ? "cblas_dgemm" : "cblas_sgemm", name);
    set_threads_ = reinterpret_cast<void (*)(int)>(find(library, "openblas_set_num_threads", name));
  } else if (name == "onednn") {
    if (in_double) throw UserError("--against onednn: it has no product in double, and this cria computes in double");
    void* library = open_first(name, {"libdnnl.so.3", "libdnnl.so.2"}, "libdnnl3 (in Debian 12: libdnnl2)");
    product_ = find(library, "dnnl_sgemm", name);
    void* openmp = open_first(name, {"libgomp.so.1"}, "libgomp1");
    set_threads_ = reinterpret_cast<void (*)(int)>(find(openmp, "omp_set_num_threads", name));
  } else {
    throw UserError(fmt::format("--against is {}, expected openblas or onednn", name));
  }
}

void OtherGemm::set_threads(size_t threads) const { set_threads_(static_cast<int>(threads)); }

void OtherGemm::operator()(size_t m, size_t n, size_t k, simd::Matrix a, simd::Matrix b, real* c,
                           size_t c_stride) const {
  if (name_ == "onednn") {
    const auto letter = [](bool yes) { return yes ? 'T' : 'N'; };
    reinterpret_cast<DnnlGemm>(product_)(letter(transposed(a)), letter(transposed(b)), std::int64_t(m), std::int64_t(n),
                                         std::int64_t(k), 1, a.data, stride(a), b.data, stride(b), 0, c,
                                         std::int64_t(c_stride));
    return;
  }
  const auto code = [](bool yes) { return yes ? transpose : no_transpose; };
  reinterpret_cast<CblasGemm>(product_)(row_major, code(transposed(a)), code(transposed(b)), int(m), int(n), int(k), 1,
                                        a.data, int(stride(a)), b.data, int(stride(b)), 0, c, int(c_stride));
}

}  // namespace cria::bench
