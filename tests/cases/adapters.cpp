// A linear layer with a change of low rank, as another program computed it.
#include "chapters/02-linear/linear.hpp"
#include "chapters/15-adapters/low_rank.hpp"
#include "lib/formats/npy.hpp"
#include "tests/cases/case.hpp"
#include "tests/testing.hpp"

namespace cria::testing {

bool is_low_rank(const Case& c) { return c.has("A.npy") && c.has("B.npy") && c.has("merged_W.npy"); }

void check_low_rank(const Case& c) {
  const auto read = [&](const char* file) {  // (…, columns) as rows
    const NpyArray npy = read_npy(c / file);
    Array<real, 2> out(Shape<2>{npy.values.size() / npy.shape.back(), npy.shape.back()});
    std::copy(npy.values.begin(), npy.values.end(), out.begin());
    return out;
  };
  const auto expected = [&](const char* file) { return Array<double, 2>(xt::cast<double>(read(file))); };
  const Array<real, 2> x = read("X.npy"), a = read("A.npy"), b = read("B.npy"), d_y = read("dY.npy");
  Array<real, 2> weight = read("W.npy");
  const real scale = real(c.json("expected.json").at("scaling").get<double>());
  const size_t N = x.shape(0), K = x.shape(1), M = b.shape(0), R = a.shape(0);
  Array<real, 2> y = unwritten<2>({N, M}), inner = unwritten<2>({N, R}), d_inner = inner;
  Array<real, 2> d_x = zeros<real, 2>({N, K}), d_a = zeros<real, 2>({R, K}), d_b = zeros<real, 2>({M, R});
  linear_forward(view(x), view(weight), view(y));
  low_rank_forward(view(x), view(a), view(b), scale, view(inner), view(y));
  linear_backward(view(d_y), view(x), Weight(view(weight)), view(d_x), {});
  low_rank_backward(view(d_y), view(x), view(a), view(b), scale, view(inner), view(d_inner), view(d_x), view(d_a),
                    view(d_b));
  merge_low_rank(view(weight), view(a), view(b), scale);
  // The files are float32, so both sides are rounded; the cases' README allows 1e-4 of a tensor's largest entry.
  constexpr double tolerance = 2e-6;
  CHECK(relative_error(y, expected("Y.npy")) < tolerance);
  CHECK(relative_error(d_x, expected("grad_X.npy")) < tolerance);
  CHECK(relative_error(d_a, expected("grad_A.npy")) < tolerance);
  CHECK(relative_error(d_b, expected("grad_B.npy")) < tolerance);
  CHECK(relative_error(weight, expected("merged_W.npy")) < tolerance);
}

}  // namespace cria::testing
