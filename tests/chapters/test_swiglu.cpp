#include "chapters/07-swiglu/swiglu.hpp"

#include <numeric>

#include "tests/allocations.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

// In units of `real`'s rounding, relative to an array's largest entry. Measured over all tests here, all targets, float
// and double: at most 1.7; another exponential may be one unit further off.
constexpr double tolerance = 4 * epsilon;

/// One call of SwiGLU with all that it reads and writes.
struct Problem {
  Array<real, 2> gate, up, out, d_gate, d_up;

  Problem(Array<real, 2> gate_, Array<real, 2> up_) : gate(std::move(gate_)), up(std::move(up_)) {
    out = unwritten<2>({gate.shape(0), gate.shape(1)});
    d_gate = d_up = zeros<real, 2>({gate.shape(0), gate.shape(1)});
  }
  Problem(size_t N, size_t F) : Problem(random_array<2>({N, F}, 1, 2), random_array<2>({N, F}, 2)) {}

  void forward() { swiglu_forward(view(gate), view(up), view(out)); }
  void backward(const Array<real, 2>& d_out) {
    swiglu_backward(view(d_out), view(gate), view(up), view(d_gate), view(d_up));
  }
};

}  // namespace

TEST_CASE("SwiGLU: the example of the lesson, worked by hand") {
  // sigmoid(0) = 1/2 and sigmoid(ln 3) = 1 / (1 + 1/3) = 3/4.
  const double ln3 = std::log(3.0);
  Problem example({{0, static_cast<real>(ln3)}}, {{5, 4}});
  example.forward();
  CHECK(difference(example.out, Array<double, 2>{{0, 3 * ln3}}, 8 * epsilon) == "");
  example.backward({{1, 1}});
  CHECK(difference(example.d_up, Array<double, 2>{{0, 0.75 * ln3}}, 2 * epsilon) == "");
  CHECK(difference(example.d_gate, Array<double, 2>{{2.5, 3 + 0.75 * ln3}}, 8 * epsilon) == "");
}

TEST_CASE("SwiGLU agrees with PyTorch, forward and backward") {
  const std::string name = GENERATE("usual", "wide");
  CAPTURE(name);
  const std::string folder = "07-swiglu/" + name;
  Problem problem(golden_real<2>(folder + "_gate.npy"), golden_real<2>(folder + "_up.npy"));
  problem.forward();
  CHECK(relative_error(problem.out, golden<2>(folder + "_out.npy")) < tolerance);
  problem.backward(golden_real<2>(folder + "_d_out.npy"));
  CHECK(relative_error(problem.d_gate, golden<2>(folder + "_d_gate.npy")) < tolerance);
  CHECK(relative_error(problem.d_up, golden<2>(folder + "_d_up.npy")) < tolerance);
}

#ifdef CRIA_DOUBLE
// Measured: 4.4e-13.
TEST_CASE("SwiGLU's gradients agree with finite differences to 1e-8") {
  Problem problem(3, 37);
  const Array<real, 2> d_out = random_array<2>({3, 37}, 9);
  const auto loss = [&] {
    problem.forward();
    return std::inner_product(problem.out.begin(), problem.out.end(), d_out.begin(), 0.0);
  };
  problem.backward(d_out);
  CHECK(gradient_error(view(problem.gate).span(), view(problem.d_gate).span(), loss) < 1e-8);
  CHECK(gradient_error(view(problem.up).span(), view(problem.d_up).span(), loss) < 1e-8);
}
#endif

TEST_CASE("SwiGLU: at a gate of 0 the slope is half of up, and at its ends the gate is closed or open") {
  // Each far gate stands in a row long enough for every vector length, and alone.
  const size_t F = GENERATE(1, 33);
  const std::vector<real> gates = {0, 90, -90, 1000, -1000};
  Problem problem(zeros<real, 2>({gates.size(), F}), Array<real, 2>(Shape<2>{gates.size(), F}, real(3)));
  for (size_t n = 0; n < gates.size(); ++n)
    for (size_t f = 0; f < F; ++f) problem.gate(n, f) = gates[n];
  problem.forward();
  problem.backward(Array<real, 2>(Shape<2>{gates.size(), F}, real(1)));
  // exp(-90) is 8e-40: what is left of a closed gate is below 90 * 3 * 8e-40 * 91.
  const std::vector<double> out = {0, 270, 0, 3000, 0}, d_gate = {1.5, 3, 0, 3, 0}, d_up = {0, 90, 0, 1000, 0};
  for (size_t n = 0; n < gates.size(); ++n)
    for (size_t f = 0; f < F; ++f) {
      CAPTURE(gates[n]);
      CHECK(difference(problem.out(n, f), out[n], 2 * epsilon * out[n] + 1e-34) == "");
      CHECK(difference(problem.d_gate(n, f), d_gate[n], 2 * epsilon * d_gate[n] + 1e-34) == "");
      CHECK(difference(problem.d_up(n, f), d_up[n], 2 * epsilon * d_up[n] + 1e-34) == "");
    }
}

TEST_CASE("SwiGLU may write over its gate or its up") {
  Problem apart(3, 37), over_gate = apart, over_up = apart;
  apart.forward();
  swiglu_forward(view(over_gate.gate), view(over_gate.up), view(over_gate.gate));
  swiglu_forward(view(over_up.gate), view(over_up.up), view(over_up.up));
  CHECK(relative_error(over_gate.gate, apart.out) < tolerance);  // measured: 0
  CHECK(relative_error(over_up.up, apart.out) < tolerance);
}

TEST_CASE("SwiGLU takes gate and up side by side in one matrix") {
  const size_t N = 3, F = 37;
  Problem plain(N, F);
  Array<real, 2> both(Shape<2>{N, 2 * F}), d_both = zeros<real, 2>({N, 2 * F}), out = plain.out;
  const auto half = [&](Array<real, 2>& a, size_t column) {
    return View<real, 2>(a.data() + column, {N, F}, {2 * F, 1});
  };
  for (size_t n = 0; n < N; ++n) {
    std::copy_n(&plain.gate(n, 0), F, &both(n, 0));
    std::copy_n(&plain.up(n, 0), F, &both(n, F));
  }
  const Array<real, 2> d_out = random_array<2>({N, F}, 9);
  plain.forward();
  plain.backward(d_out);
  swiglu_forward(half(both, 0), half(both, F), view(out));
  swiglu_backward(view(d_out), half(both, 0), half(both, F), half(d_both, 0), half(d_both, F));
  CHECK(relative_error(out, plain.out) < tolerance);  // measured: 0
  CHECK(relative_error(half(d_both, 0), plain.d_gate) < tolerance);
  CHECK(relative_error(half(d_both, F), plain.d_up) < tolerance);
}

TEST_CASE("SwiGLU's gradients accumulate, and it allocates nothing") {
  Problem problem(3, 37);
  const Array<real, 2> d_out = random_array<2>({3, 37}, 9);
  problem.forward();  // the first call may choose the SIMD target
  problem.backward(d_out);
  const Array<real, 2> d_gate = problem.d_gate, d_up = problem.d_up;
  const size_t before = allocations();
  problem.forward();
  problem.backward(d_out);
  const size_t after = allocations();
  CHECK(after == before);
  CHECK(relative_error(problem.d_gate, Array<real, 2>(real(2) * d_gate)) < tolerance);
  CHECK(relative_error(problem.d_up, Array<real, 2>(real(2) * d_up)) < tolerance);
}

TEST_CASE("SwiGLU refuses shapes that do not fit, and prints both") {
  Problem problem(2, 3);
  CHECK_THROWS_AS(problem.backward(zeros<real, 2>({3, 2})), ContractError);
  CHECK_THROWS_WITH(problem.backward(zeros<real, 2>({3, 2})),
                    "swiglu_backward: d_out has shape (3, 2), expected (2, 3)");
  const auto refuses = [](Array<real, 2> Problem::*array, const std::string& name, bool in_forward, bool in_backward) {
    Problem bad(2, 3);
    bad.*array = zeros<real, 2>({2, 4});
    const std::string message = name + " has shape (2, 4), expected (2, 3)";
    if (in_forward) CHECK_THROWS_WITH(bad.forward(), "swiglu_forward: " + message);
    if (in_backward) CHECK_THROWS_WITH(bad.backward(zeros<real, 2>({2, 3})), "swiglu_backward: " + message);
  };
  refuses(&Problem::up, "up", true, true);
  refuses(&Problem::out, "out", true, false);
  refuses(&Problem::d_gate, "d_gate", false, true);
  refuses(&Problem::d_up, "d_up", false, true);
}
