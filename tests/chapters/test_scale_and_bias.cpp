// Chapter 15, a scale and a bias of a linear layer: by hand, finite differences, and the bits of rows apart.
#include "chapters/15-adapters/scale_and_bias.hpp"

#include <numeric>

#include "chapters/02-linear/linear.hpp"
#include "lib/tensor/tensor.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

struct ScaledProblem {
  Array<real, 2> x, weight, d_y;
  Array<real, 1> scale, bias;
  Array<real, 2> y = unwritten<2>({x.shape(0), weight.shape(0)}), d_x = zeros<real, 2>({x.shape(0), x.shape(1)});
  Array<real, 1> d_scale = zeros<real, 1>({scale.shape(0)}), d_bias = zeros<real, 1>({bias.shape(0)});

  ScaleAndBiasAddition addition() {
    return {ScaleAndBias<const real>{view(scale), view(bias)}, ScaleAndBias<real>{view(d_scale), view(d_bias)}};
  }
  void forward(Rows rows = Rows::together) {
    const ScaleAndBiasAddition tuned = addition();
    linear_forward(view(x), Weight(view(weight)).with(tuned), view(y), {}, rows);
  }
  void backward() {
    const ScaleAndBiasAddition tuned = addition();
    linear_backward(view(d_y), view(x), Weight(view(weight)).with(tuned), view(d_x), {});
  }
};

ScaledProblem random_scaled_problem() {
  return {random_array<2>({9, 33}, 1), random_array<2>({20, 33}, 2), random_array<2>({9, 20}, 3),
          random_array<1>({33}, 4), random_array<1>({20}, 5)};
}

}  // namespace

TEST_CASE("a scale and a bias: the example of the lesson, worked by hand") {
  ScaledProblem p{{{1, 2}}, {{3, 0}, {1, 1}}, {{1, 10}}, {2, -1}, {100, 0}};
  p.forward();
  CHECK(difference(p.y, Array<double, 2>{{106, 0}}, 0) == "");
  for (const real times : {1, 2}) {  // gradients accumulate
    p.backward();
    CHECK(difference(p.d_bias, Array<double, 1>{1 * times, 10 * times}, 0) == "");
    CHECK(difference(p.d_scale, Array<double, 1>{13 * times, 20 * times}, 0) == "");
    CHECK(difference(p.d_x, Array<double, 2>{{26 * times, -10 * times}}, 0) == "");
  }
}

TEST_CASE("of rows apart each has the bits that it has alone, its scale and bias included") {
  ScaledProblem p = random_scaled_problem();
  p.forward(Rows::apart);
  const ScaleAndBiasAddition tuned = p.addition();
  const Weight weight = Weight(view(p.weight)).with(tuned);
  Array<real, 2> alone = unwritten<2>({9, 20});
  for (size_t n = 0; n < 9; ++n) linear_forward(view(p.x).rows(n, n + 1), weight, view(alone).rows(n, n + 1));
  CHECK(difference(p.y, alone, 0) == "");
  // And of some of the outputs, as a team's threads compute them.
  Array<real, 2> part = unwritten<2>({9, 7});
  linear_forward(view(p.x), weight.rows({5, 12}), view(part), {}, Rows::apart);
  CHECK(difference(part, view(p.y).columns({5, 12}), 0) == "");
}

TEST_CASE("a scale and a bias refuse shapes that do not fit, and a weight that learns") {
  ScaledProblem p = random_scaled_problem();
  Array<real, 2> d_weight = zeros<real, 2>({20, 33});
  const ScaleAndBiasAddition tuned = p.addition();
  const Weight weight = Weight(view(p.weight)).with(tuned);
  CHECK_THROWS_AS(linear_backward(view(p.d_y), view(p.x), weight, view(p.d_x), view(d_weight)), ContractError);
  p.scale = random_array<1>({32}, 4);
  CHECK_THROWS_WITH(p.forward(), "scale_forward: scale has shape (32), expected (33)");
}

#ifdef CRIA_DOUBLE
TEST_CASE("gradients of a scale and a bias agree with finite differences to 1e-8") {
  ScaledProblem p = random_scaled_problem();
  p.backward();
  const auto loss = [&] {
    p.forward();
    return std::inner_product(p.y.begin(), p.y.end(), p.d_y.begin(), 0.0);
  };
  CHECK(gradient_error(view(p.x).span(), view(p.d_x).span(), loss) < 1e-8);
  CHECK(gradient_error(view(p.scale).span(), view(p.d_scale).span(), loss) < 1e-8);
  CHECK(gradient_error(view(p.bias).span(), view(p.d_bias).span(), loss) < 1e-8);
}
#endif
