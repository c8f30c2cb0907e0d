// Chapter 15, attention to a prefix: by hand, against PyTorch and finite differences; and its gates.
#include "chapters/15-adapters/prefix_attention.hpp"

#include <cmath>
#include <numeric>

#include "lib/tensor/tensor.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

struct PrefixProblem {
  Array<real, 3> q, k, v, d_out;
  Array<real, 1> gate;
  Array<real, 2> weights = unwritten<2>({q.shape(0), k.shape(0)}), d_weights = weights;
  Array<real, 3> out = zeros<real, 3>({q.shape(0), q.shape(1), q.shape(2)}), d_q = out,
                 d_k = zeros<real, 3>({k.shape(0), k.shape(1), k.shape(2)}), d_v = d_k;
  Array<real, 1> d_gate = zeros<real, 1>({gate.shape(0)});

  void forward() { prefix_attention_forward(view(q), view(k), view(v), view(gate), view(weights), view(out)); }
  void backward() {
    prefix_attention_backward(view(d_out), view(q), view(k), view(v), view(gate), view(weights), view(d_weights),
                              view(d_q), view(d_k), view(d_v), view(d_gate));
  }
};

PrefixProblem random_prefix_problem() {
  return {random_array<3>({7, 6, 5}, 1), random_array<3>({4, 3, 5}, 2), random_array<3>({4, 3, 5}, 3),
          random_array<3>({7, 6, 5}, 4), random_array<1>({6}, 5)};
}

}  // namespace

// Dh = 4, so the scale is 1/2, and log 3 makes weights of 1/4 and 3/4.
TEST_CASE("attention to a prefix: the example of the lesson, worked by hand") {
  const real log_3 = std::log(real(3));
  PrefixProblem p{{{{2, 0, 0, 0}}},
                  {{{0, 0, 0, 0}}, {{log_3, 0, 0, 0}}},
                  {{{4, 0, 0, 0}}, {{8, 0, 0, 0}}},
                  {{{2, 0, 0, 0}}},
                  {real(0.5)}};
  p.out = {{{10, 20, 30, 40}}};
  constexpr double tolerance = 8 * epsilon;  // of numbers up to 40, after an exponential
  p.forward();
  CHECK(difference(p.out, Array<double, 3>{{{13.5, 20, 30, 40}}}, 40 * epsilon) == "");
  p.backward();
  CHECK(difference(p.d_gate, Array<double, 1>{14}, 14 * tolerance) == "");
  CHECK(difference(p.d_v, Array<double, 3>{{{0.25, 0, 0, 0}}, {{0.75, 0, 0, 0}}}, tolerance) == "");
  CHECK(difference(p.d_k, Array<double, 3>{{{-0.75, 0, 0, 0}}, {{0.75, 0, 0, 0}}}, tolerance) == "");
  CHECK(difference(p.d_q, Array<double, 3>{{{0.375 * std::log(3.0), 0, 0, 0}}}, tolerance) == "");
}

TEST_CASE("attention to a prefix, and its gate, agree with PyTorch, forward and backward") {
  const std::string name = "15-adapters/prefix_" + std::string(GENERATE("small_", "odd_"));
  CAPTURE(name);
  const auto read = [&](const char* what) { return golden_real<3>(name + what + ".npy"); };
  Array<real, 1> x = golden_real<1>(name + "x.npy"), d_x = zeros<real, 1>({x.shape(0)});
  PrefixProblem p{read("q"), read("k"), read("v"), read("d_out"), Array<real, 1>(x.shape())};
  constexpr double tolerance = 12 * epsilon;
  gate_forward(view(x), view(p.gate));
  p.forward();
  CHECK(relative_error(p.out, golden<3>(name + "added.npy")) < tolerance);
  for (const real times : {1, 2}) {  // gradients accumulate
    p.backward();
    const auto expected = [&](const char* what) { return Array<double, 3>(double(times) * golden<3>(name + what)); };
    CHECK(relative_error(p.d_q, expected("d_q.npy")) < tolerance);
    CHECK(relative_error(p.d_k, expected("d_k.npy")) < tolerance);
    CHECK(relative_error(p.d_v, expected("d_v.npy")) < tolerance);
  }
  gate_backward(view(p.d_gate), view(p.gate), view(d_x));
  CHECK(relative_error(d_x, Array<double, 1>(2 * golden<1>(name + "d_x.npy"))) < tolerance);
}

TEST_CASE("a gate is tanh of its number, 0 for 0, and gradients of it accumulate") {
  const Array<real, 1> x = {0, real(0.5), -20}, d_gate = {3, 3, 3};
  Array<real, 1> gate = unwritten<1>({3}), d_x = {1, 1, 1};
  gate_forward(view(x), view(gate));
  CHECK(difference(gate, Array<double, 1>{0, std::tanh(0.5), -1}, epsilon) == "");
  gate_backward(view(d_gate), view(gate), view(d_x));
  const double t = std::tanh(0.5);
  CHECK(difference(d_x, Array<double, 1>{4, 1 + 3 * (1 - t * t), 1}, 4 * epsilon) == "");
}

TEST_CASE("a gate of 0 adds nothing, bit for bit, and has a gradient all the same") {
  PrefixProblem p = random_prefix_problem();
  p.gate.fill(0);
  p.out = random_array<3>({7, 6, 5}, 6);
  const Array<real, 3> before = p.out;
  p.forward();
  CHECK(difference(p.out, before, 0) == "");
  p.backward();
  CHECK(std::ranges::none_of(p.d_gate, [](real d) { return d == 0; }));
  CHECK(std::ranges::all_of(p.d_q, [](real d) { return d == 0; }));
}

TEST_CASE("attention to a prefix refuses shapes that do not fit") {
  PrefixProblem p = random_prefix_problem();
  p.v = random_array<3>({3, 3, 5}, 3);
  CHECK_THROWS_WITH(p.forward(), "prefix_attention: v has shape (3, 3, 5), expected (4, 3, 5)");
  p = random_prefix_problem();
  p.k = p.v = random_array<3>({4, 4, 5}, 3);
  CHECK_THROWS_AS(p.forward(), ContractError);
}

#ifdef CRIA_DOUBLE
TEST_CASE("gradients of attention to a prefix agree with finite differences to 1e-8") {
  PrefixProblem p = random_prefix_problem();
  p.backward();
  const auto loss = [&] {
    p.out.fill(0);
    p.forward();
    return std::inner_product(p.out.begin(), p.out.end(), p.d_out.begin(), 0.0);
  };
  CHECK(gradient_error(view(p.q).span(), view(p.d_q).span(), loss) < 1e-8);
  CHECK(gradient_error(view(p.k).span(), view(p.d_k).span(), loss) < 1e-8);
  CHECK(gradient_error(view(p.v).span(), view(p.d_v).span(), loss) < 1e-8);
  CHECK(gradient_error(view(p.gate).span(), view(p.d_gate).span(), loss) < 1e-8);
}
#endif
