// What the tests of attention share: a call with all its arrays, and the tolerances.
#pragma once

#include "chapters/05-attention/attention.hpp"
#include "tests/testing.hpp"

namespace cria::testing {

// In units of `real`'s rounding (1.2e-7 or 2.2e-16), relative to an array's largest entry. Measured over all tests
// here, targets and both builds: at most 2.9 forward and 6.6 backward. Twice that leaves room for sums in another
// order.
constexpr double forward_tolerance = 6 * epsilon, backward_tolerance = 14 * epsilon;

/// One call of attention with all that it reads and writes.
struct Problem {
  Array<real, 3> q, k, v;
  std::vector<std::int32_t> first_key;
  Array<real, 3> out, d_q, d_k, d_v;
  Array<real, 2> log_sum_exp;
  std::vector<real> scratch;

  Problem(Array<real, 3> q_, Array<real, 3> k_, Array<real, 3> v_, std::vector<std::int32_t> first_key_ = {})
      : q(std::move(q_)), k(std::move(k_)), v(std::move(v_)), first_key(std::move(first_key_)) {
    const size_t T = q.shape(0), H = q.shape(1), Dh = q.shape(2), S = k.shape(0), G = k.shape(1);
    out = unwritten<3>({T, H, Dh}), d_q = zeros<real, 3>({T, H, Dh});
    d_k = zeros<real, 3>({S, G, Dh}), d_v = d_k;
    log_sum_exp = unwritten<2>({T, H});
    scratch.assign(attention_scratch_size(S), real(99));  // what was there before must not matter
  }
  Problem(size_t T, size_t S, size_t H, size_t G, size_t Dh, std::uint64_t seed = 1)
      : Problem(random_array<3>({T, H, Dh}, seed), random_array<3>({S, G, Dh}, seed + 1),
                random_array<3>({S, G, Dh}, seed + 2)) {}

  void forward() {
    attention_forward(view<real, 3>(q), view<real, 3>(k), view<real, 3>(v), first_key, view(out), view(log_sum_exp),
                      scratch);
  }
  void backward(const Array<real, 3>& d_out) {
    attention_backward(view(d_out), view<real, 3>(q), view<real, 3>(k), view<real, 3>(v), first_key, view<real, 3>(out),
                       view<real, 2>(log_sum_exp), view(d_q), view(d_k), view(d_v), scratch);
  }
};

/// Rows begin … end - 1 of x.
inline Array<real, 3> rows(const Array<real, 3>& x, size_t begin, size_t end) {
  Array<real, 3> out(Shape<3>{end - begin, x.shape(1), x.shape(2)});
  const size_t width = x.shape(1) * x.shape(2);
  std::copy(x.begin() + begin * width, x.begin() + end * width, out.begin());
  return out;
}

/// Head by head the heads of x in another order or number: out[:, i] = x[:, heads[i]].
inline Array<real, 3> pick_heads(const Array<real, 3>& x, const std::vector<size_t>& heads) {
  Array<real, 3> out(Shape<3>{x.shape(0), heads.size(), x.shape(2)});
  for (size_t t = 0; t < x.shape(0); ++t)
    for (size_t h = 0; h < heads.size(); ++h)
      for (size_t d = 0; d < x.shape(2); ++d) out(t, h, d) = x(t, heads[h], d);
  return out;
}

/// (T, S, H, G, Dh): no multiple of a vector or a tile, a single row, a single key.
inline const std::vector<Shape<5>> odd_sizes = {{1, 1, 1, 1, 3},    {2, 2, 6, 2, 8},   {7, 7, 3, 3, 48},
                                                {65, 65, 2, 1, 3},  {65, 65, 4, 4, 8}, {1, 65, 8, 2, 48},
                                                {33, 100, 6, 3, 8}, {64, 64, 1, 1, 5}};

}  // namespace cria::testing
