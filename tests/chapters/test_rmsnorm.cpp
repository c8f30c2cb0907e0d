#include "chapters/03-rmsnorm/rmsnorm.hpp"

#include <numeric>

#include "tests/allocations.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

// In units of `real`'s rounding, relative to an array's largest entry. Measured over all tests here, all targets, float
// and double: at most 1.1 forward and 1.5 backward; sums in another order may double that.
constexpr double forward_tolerance = 3 * epsilon, backward_tolerance = 4 * epsilon;

/// One call of RMSNorm with all that it reads and writes.
struct Problem {
  Array<real, 2> x;
  Array<real, 1> weight;
  real eps;
  Array<real, 2> y, d_x;
  Array<real, 1> inverse_rms, d_weight;

  Problem(Array<real, 2> x_, Array<real, 1> weight_, double eps_)
      : x(std::move(x_)), weight(std::move(weight_)), eps(static_cast<real>(eps_)) {
    const size_t N = x.shape(0), C = x.shape(1);
    y = unwritten<2>({N, C}), inverse_rms = unwritten<1>({N});
    d_x = zeros<real, 2>({N, C}), d_weight = zeros<real, 1>({C});
  }
  Problem(size_t N, size_t C, double eps_ = 1e-5, double scale = 1)
      : Problem(random_array<2>({N, C}, 1, scale), random_array<1>({C}, 2), eps_) {}

  void forward() { rmsnorm_forward(view(x), view(weight), eps, view(y), view(inverse_rms)); }
  void backward(const Array<real, 2>& d_y) {
    rmsnorm_backward(view(d_y), view(x), view(weight), view(inverse_rms), view(d_x), view(d_weight));
  }
};

/// Σ_c a[n][c] b[n][c]
double row_product(const Array<real, 2>& a, const Array<real, 2>& b, size_t n) {
  return std::inner_product(&a(n, 0), &a(n, 0) + a.shape(1), &b(n, 0), 0.0);
}

}  // namespace

TEST_CASE("RMSNorm: the example of the lesson, worked by hand") {
  Problem example({{1, 7}}, {10, 5}, 0);
  example.forward();
  CHECK(difference(example.inverse_rms, Array<double, 1>{0.2}, epsilon) == "");
  CHECK(difference(example.y, Array<double, 2>{{2, 7}}, 8 * epsilon) == "");
  example.backward({{1, 0}});
  CHECK(difference(example.d_weight, Array<double, 1>{0.2, 0}, epsilon) == "");
  CHECK(difference(example.d_x, Array<double, 2>{{1.96, -0.28}}, 4 * epsilon) == "");
}

TEST_CASE("RMSNorm agrees with PyTorch, forward and backward, for odd widths and where eps matters") {
  const auto [name, eps] =
      GENERATE(table<std::string, double>({{"c7", 1e-5}, {"c64", 1e-5}, {"c172", 1e-6}, {"tiny", 1e-5}}));
  CAPTURE(name);
  const std::string folder = "03-rmsnorm/" + name;
  Problem problem(golden_real<2>(folder + "_x.npy"), golden_real<1>(folder + "_weight.npy"), eps);
  problem.forward();
  CHECK(relative_error(problem.y, golden<2>(folder + "_y.npy")) < forward_tolerance);
  problem.backward(golden_real<2>(folder + "_d_y.npy"));
  CHECK(relative_error(problem.d_x, golden<2>(folder + "_d_x.npy")) < backward_tolerance);
  CHECK(relative_error(problem.d_weight, golden<1>(folder + "_d_weight.npy")) < backward_tolerance);
}

#ifdef CRIA_DOUBLE
// Measured: 3.8e-12.
TEST_CASE("RMSNorm's gradients agree with finite differences to 1e-8") {
  const auto [C, eps] = GENERATE(table<size_t, double>({{1, 0.5}, {7, 1e-5}, {64, 1e-5}, {172, 0.5}}));
  CAPTURE(C, eps);
  Problem problem(3, C, eps);
  const Array<real, 2> d_y = random_array<2>({3, C}, 9);
  const auto loss = [&] {
    problem.forward();
    return std::inner_product(problem.y.begin(), problem.y.end(), d_y.begin(), 0.0);
  };
  loss();
  problem.backward(d_y);
  CHECK(gradient_error(view(problem.x).span(), view(problem.d_x).span(), loss) < 1e-8);
  CHECK(gradient_error(view(problem.weight).span(), view(problem.d_weight).span(), loss) < 1e-8);
}
#endif

TEST_CASE("RMSNorm: with weights of 1 every row has a root mean square of 1") {
  Problem problem(20, 173, 0, 30);
  problem.weight.fill(1);
  problem.forward();
  for (size_t n = 0; n < 20; ++n) CHECK(difference(row_product(problem.y, problem.y, n) / 173, 1, 8 * epsilon) == "");
}

TEST_CASE("RMSNorm: the scale of a row does not matter, as far as eps does not") {
  Problem problem(20, 173, 0), scaled = problem;
  scaled.x *= real(1024);  // a power of two, so that not even rounding differs
  problem.forward(), scaled.forward();
  CHECK(difference(scaled.y, problem.y, 0) == "");

  // Hence moving along x changes nothing: the gradient has no part in the direction of x.
  problem.backward(random_array<2>({20, 173}, 9));
  CHECK(difference(problem.d_x, zeros<real, 2>({20, 173}), 0) != "");
  for (size_t n = 0; n < 20; ++n) {
    const double lengths = std::sqrt(row_product(problem.d_x, problem.d_x, n) * row_product(problem.x, problem.x, n));
    CHECK(difference(row_product(problem.d_x, problem.x, n), 0, 2 * epsilon * lengths) == "");
  }
}

TEST_CASE("RMSNorm: eps is added to the mean square, inside the root") {
  // mean(x²) = 9 and eps = 16, so r = 1/5; outside the root it would be 1/19, and on the sum of squares 1/sqrt(13).
  Problem problem({{3, 3, -3, 3}}, {1, 1, 1, 1}, 16);
  problem.forward();
  CHECK(difference(problem.y, Array<double, 2>{{0.6, 0.6, -0.6, 0.6}}, epsilon) == "");
}

TEST_CASE("RMSNorm: a row of zeros stays zero, and its gradient is finite") {
  Problem problem(zeros<real, 2>({1, 7}), random_array<1>({7}, 2), 1e-5);
  problem.forward();
  CHECK(difference(problem.y, zeros<real, 2>({1, 7}), 0) == "");
  problem.backward(Array<real, 2>(Shape<2>{1, 7}, real(1)));
  const double r = 1 / std::sqrt(static_cast<double>(problem.eps));
  for (size_t c = 0; c < 7; ++c)
    CHECK(difference(problem.d_x(0, c), r * problem.weight(c), 4 * epsilon * r * std::abs(problem.weight(c))) == "");
}

TEST_CASE("RMSNorm reads and writes rows of wider matrices, and nothing between them") {
  Problem plain(5, 7), strided = plain;
  Array<real, 2> x(Shape<2>{5, 10}, real(77)), y = x, d_x = x;
  const auto part = [](Array<real, 2>& a) { return View<real, 2>(a.data() + 1, {5, 7}, {10, 1}); };
  for (size_t n = 0; n < 5; ++n) {
    std::copy_n(&plain.x(n, 0), 7, &x(n, 1));
    std::fill_n(&d_x(n, 1), 7, real(0));
  }
  const Array<real, 2> d_y = random_array<2>({5, 7}, 9);
  plain.forward();
  plain.backward(d_y);
  rmsnorm_forward(part(x), view(strided.weight), strided.eps, part(y), view(strided.inverse_rms));
  rmsnorm_backward(view(d_y), part(x), view(strided.weight), view(strided.inverse_rms), part(d_x),
                   view(strided.d_weight));
  // Measured: 0. A sum may be formed in another order where rows begin elsewhere.
  CHECK(relative_error(part(y), plain.y) < forward_tolerance);
  CHECK(relative_error(part(d_x), plain.d_x) < backward_tolerance);
  CHECK(relative_error(strided.d_weight, plain.d_weight) < backward_tolerance);
  for (size_t n = 0; n < 5; ++n)
    for (size_t c : {0, 8, 9}) {
      CAPTURE(n, c);
      CHECK(y(n, c) == 77);
      CHECK(d_x(n, c) == 77);
    }
}

TEST_CASE("RMSNorm's gradients accumulate, and it allocates nothing") {
  Problem problem(20, 64);
  const Array<real, 2> d_y = random_array<2>({20, 64}, 9);
  problem.forward();  // the first call may choose the SIMD target
  problem.backward(d_y);
  const Array<real, 2> d_x = problem.d_x;
  const Array<real, 1> d_weight = problem.d_weight;
  const size_t before = allocations();
  problem.forward();
  problem.backward(d_y);
  const size_t after = allocations();
  CHECK(after == before);
  CHECK(relative_error(problem.d_x, Array<real, 2>(real(2) * d_x)) < backward_tolerance);
  CHECK(relative_error(problem.d_weight, Array<real, 1>(real(2) * d_weight)) < backward_tolerance);
}

TEST_CASE("RMSNorm refuses shapes that do not fit, and prints both") {
  const auto refuses = [](auto spoil, const std::string& message) {
    Problem bad(2, 3);
    spoil(bad);
    CHECK_THROWS_AS(bad.forward(), ContractError);
    CHECK_THROWS_WITH(bad.forward(), "rmsnorm_forward: " + message);
    CHECK_THROWS_AS(bad.backward(bad.x), ContractError);
  };
  refuses([](Problem& p) { p.weight = zeros<real, 1>({4}); }, "weight has shape (4), expected (3)");
  refuses([](Problem& p) { p.inverse_rms = zeros<real, 1>({3}); }, "inverse_rms has shape (3), expected (2)");
  Problem problem(2, 3);
  CHECK_THROWS_WITH(problem.backward(zeros<real, 2>({3, 2})),
                    "rmsnorm_backward: d_y has shape (3, 2), expected (2, 3)");
  problem.y = problem.d_x = zeros<real, 2>({2, 4});
  CHECK_THROWS_WITH(problem.forward(), "rmsnorm_forward: y has shape (2, 4), expected (2, 3)");
  CHECK_THROWS_WITH(problem.backward(problem.x), "rmsnorm_backward: d_x has shape (2, 4), expected (2, 3)");
  problem = Problem(2, 3);
  problem.d_weight = zeros<real, 1>({2});
  CHECK_THROWS_WITH(problem.backward(problem.x), "rmsnorm_backward: d_weight has shape (2), expected (3)");
}
