// Chapter 15, one linear layer: a change of low rank by hand, against PyTorch and finite differences; and dropout.
#include "chapters/15-adapters/low_rank.hpp"

#include <cmath>
#include <numeric>

#include "chapters/02-linear/linear.hpp"
#include "chapters/15-adapters/dropout.hpp"
#include "chapters/15-adapters/low_rank_addition.hpp"
#include "lib/tensor/tensor.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

struct Problem {
  Array<real, 2> x, a, b, d_y;
  real scale;
  Array<real, 2> inner = zeros<real, 2>({x.shape(0), a.shape(0)}), d_inner = inner,
                 y = zeros<real, 2>({x.shape(0), b.shape(0)});
  Array<real, 2> d_x = zeros<real, 2>({x.shape(0), x.shape(1)}), d_a = zeros<real, 2>({a.shape(0), a.shape(1)}),
                 d_b = zeros<real, 2>({b.shape(0), b.shape(1)});

  void forward() { low_rank_forward(view(x), view(a), view(b), scale, view(inner), view(y)); }
  void backward() {
    low_rank_backward(view(d_y), view(x), view(a), view(b), scale, view(inner), view(d_inner), view(d_x), view(d_a),
                      view(d_b));
  }
};

}  // namespace

TEST_CASE("a change of low rank: the example of the lesson, worked by hand") {
  Problem p{{{1, 2}}, {{1, 1}}, {{1}, {0}, {-1}}, {{1, 5, 0}}, 2};
  p.y = {{10, 20, 30}};
  p.forward();
  CHECK(difference(p.y, Array<double, 2>{{16, 20, 24}}, 0) == "");
  p.backward();
  CHECK(difference(p.d_b, Array<double, 2>{{6}, {30}, {0}}, 0) == "");
  CHECK(difference(p.d_a, Array<double, 2>{{2, 4}}, 0) == "");
  CHECK(difference(p.d_x, Array<double, 2>{{2, 2}}, 0) == "");
  Array<real, 2> weight = {{0, 0}, {1, 0}, {0, 1}};
  merge_low_rank(view(weight), view(p.a), view(p.b), 2);
  CHECK(difference(weight, Array<double, 2>{{2, 2}, {1, 0}, {-2, -1}}, 0) == "");
}

TEST_CASE("a linear layer with a change of low rank agrees with PyTorch, forward and backward, and so does merging") {
  const std::string name = "15-adapters/" + std::string(GENERATE("small_", "odd_"));
  CAPTURE(name);
  const auto read = [&](const char* what) { return golden_real<2>(name + what + ".npy"); };
  Array<real, 2> weight = read("weight");
  Problem p{read("x"), read("a"), read("b"), read("d_y"), golden_real<1>(name + "scale.npy")(0)};
  // Relative to the largest entry. Measured over the three x86 targets, float and double: at most 2.1 epsilon.
  constexpr double tolerance = 8 * epsilon;
  linear_forward(view(p.x), view(weight), view(p.y));
  p.forward();
  CHECK(relative_error(p.y, golden<2>(name + "y.npy")) < tolerance);
  for (const real times : {1, 2}) {  // gradients accumulate
    p.backward();
    linear_backward(view(p.d_y), view(p.x), Weight(view(weight)), view(p.d_x), {});
    const auto expected = [&](const char* what) { return Array<double, 2>(double(times) * golden<2>(name + what)); };
    CHECK(relative_error(p.d_x, expected("d_x.npy")) < tolerance);
    CHECK(relative_error(p.d_a, expected("d_a.npy")) < tolerance);
    CHECK(relative_error(p.d_b, expected("d_b.npy")) < tolerance);
  }
  const Array<real, 2> before = weight;
  merge_low_rank(view(weight), view(p.a), view(p.b), p.scale);
  CHECK(relative_error(weight, golden<2>(name + "merged.npy")) < tolerance);
  merge_low_rank(view(weight), view(p.a), view(p.b), -p.scale);
  CHECK(relative_error(weight, before) < tolerance);
}

TEST_CASE("dropout drops the share that it is asked to, by place and seed, and keeps the mean") {
  const Array<real, 2> ones(Shape<2>{100, 200}, real(1));
  Array<real, 2> dropped = zeros<real, 2>({100, 200}), other = dropped, part = zeros<real, 2>({50, 200});
  dropout(view(ones), 0.25, 7, view(dropped));
  const double zero = double(std::ranges::count(dropped, real(0))) / 20000;
  CHECK(std::abs(zero - 0.25) < 4 * std::sqrt(0.25 * 0.75 / 20000));
  for (const real value : dropped) CHECK((value == 0 || value == real(1 / 0.75)));
  dropout(view(ones), 0.25, 8, view(other));
  CHECK(difference(other, dropped, 0) != "");
  dropout(view(ones).rows(0, 50), 0.25, 7, view(part));
  CHECK(difference(part, view(dropped).rows(0, 50), 0) == "");
  dropout(view(ones), 0.25, 7, view(other));  // accumulates
  CHECK_THROWS_AS(dropout(view(ones), 1, 7, view(other)), ContractError);
}

TEST_CASE("of rows apart each has the bits that it has alone, its change included") {
  const Array<real, 2> x = random_array<2>({9, 33}, 1), a = random_array<2>({5, 33}, 2),
                       b = random_array<2>({20, 5}, 3), numbers = random_array<2>({20, 33}, 4);
  const LowRankAddition addition(view(a), view(b), real(0.5), {}, {}, nullptr, 0);
  const Weight weight = Weight(view(numbers)).with(addition);
  Array<real, 2> apart = unwritten<2>({9, 20}), alone = apart;
  linear_forward(view(x), weight, view(apart), {}, Rows::apart);
  for (size_t n = 0; n < 9; ++n) linear_forward(view(x).rows(n, n + 1), weight, view(alone).rows(n, n + 1));
  CHECK(difference(apart, alone, 0) == "");
}

TEST_CASE("a change of low rank refuses shapes that do not fit") {
  Problem p{{{1, 2}}, {{1, 1}}, {{1}, {0}, {-1}}, {{1, 5, 0}}, 2};
  p.a = {{1, 1, 1}};
  CHECK_THROWS_WITH(p.forward(), "low_rank_forward: a has shape (1, 3), expected (1, 2)");
}

#ifdef CRIA_DOUBLE
// Measured: below 5e-11.
TEST_CASE("gradients through dropout and the change agree with finite differences to 1e-8") {
  Array<real, 2> x = random_array<2>({7, 5}, 1), a = random_array<2>({3, 5}, 2), b = random_array<2>({6, 3}, 3);
  const Array<real, 2> d_y = random_array<2>({7, 6}, 4);
  Array<real, 2> y = zeros<real, 2>({7, 6}), d_x = zeros<real, 2>({7, 5}), d_a = zeros<real, 2>({3, 5}),
                 d_b = zeros<real, 2>({6, 3});
  const Noise noise{GENERATE(0.0, 0.4), 5};
  const LowRankAddition addition(view(a), view(b), real(0.7), view(d_a), view(d_b), &noise, 2);
  addition.backward(view(d_y), view(x), view(d_x));
  const auto loss = [&] {
    y.fill(0);
    addition.forward(view(x), {0, 6}, view(y));
    return std::inner_product(y.begin(), y.end(), d_y.begin(), 0.0);
  };
  CHECK(gradient_error(view(x).span(), view(d_x).span(), loss) < 1e-8);
  CHECK(gradient_error(view(a).span(), view(d_a).span(), loss) < 1e-8);
  CHECK(gradient_error(view(b).span(), view(d_b).span(), loss) < 1e-8);
}
#endif
