#include "chapters/13-quantisation/cholesky.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

/// The upper triangle of h becomes R, with h = R Rᵀ.
bool factorise(View<double, 2> h) {
  const size_t K = h.shape(0);
  double largest = 0;
  for (size_t i = 0; i < K; ++i) largest = std::max(largest, h(i, i));
  const double least = largest * double(K) * std::numeric_limits<double>::epsilon();
  for (size_t i = K; i-- > 0;)
    for (size_t j = K; j-- > i;) {
      // h(i, j) = Σ R(i, k) R(j, k) over k ≥ j, of which all but the first are known.
      const double first = h(i, j) - total(h[i].part({j + 1, K}) * h[j].part({j + 1, K}));
      if (j > i)
        h(i, j) = first / h(j, j);
      else if (first > least)
        h(i, i) = std::sqrt(first);
      else
        return false;
    }
  return true;
}

/// Row i of U = R⁻¹, from U R = 1: columns from left to right, each of which takes its part from those that follow.
void solve_row(View<const double, 2> r, size_t i, View<double, 1> u) {
  const size_t K = u.size();
  noalias(u) = 0.0;
  u[i] = 1;
  for (size_t k = i; k < K; ++k) {
    u[k] /= r(k, k);
    noalias(u.part({k + 1, K})) -= u[k] * r[k].part({k + 1, K});
  }
}

}  // namespace

bool invert_to_factor(View<double, 2> h, ThreadPool& pool) {
  const size_t K = h.shape(0);
  require_shape("invert_to_factor: h", h, Shape<2>{K, K});
  if (!factorise(h)) return false;
  Array<double, 2> factor = Array<double, 2>::from_shape({K, K});
  pool.for_each(K, [&](size_t i) { solve_row(h, i, view(factor)[i]); });
  noalias(h) = factor;
  return true;
}

}  // namespace cria
