// Attention's example, goldens, gradients and contract.
#include <numeric>

#include "lib/tensor/tensor.hpp"
#include "tests/allocations.hpp"
#include "tests/chapters/attention_problem.hpp"
#include "tests/primitive_called.hpp"

using namespace cria;
using namespace cria::testing;

TEST_CASE("the plain softmax: the example of the lesson, and numbers whose exponentials overflow") {
  const real ln3 = std::log(real(3));
  Array<real, 1> small = {0, ln3}, large = {10000, real(10000) - ln3};
  CHECK(difference(plain_softmax(view(small)), std::log(4.0), 2 * epsilon) == "");
  CHECK(difference(small, Array<double, 1>{0.25, 0.75}, 2 * epsilon) == "");
  CHECK(difference(plain_softmax(view(large)), 10000 + std::log(4.0 / 3), 10000 * epsilon) == "");
  CHECK(difference(large, Array<double, 1>{0.75, 0.25}, 10000 * epsilon) == "");
}

TEST_CASE("the plain softmax is written out, and does not call the fast one") {
  Array<real, 1> x = random_array<1>({7}, 1);
  CHECK(primitive_called([&] { plain_softmax(view(x)); }) == "");
  CHECK(primitive_called([&] { softmax(view(x)); }) != "");
}

TEST_CASE("the plain softmax and the fast one agree") {
  for (const size_t n : {1, 2, 7, 16, 100}) {
    Array<real, 1> plain = random_array<1>({n}, n, 5), fast = plain;
    const real log_sum = plain_softmax(view(plain));
    CHECK(difference(softmax(view(fast)), log_sum, 4 * epsilon * (1 + std::abs(log_sum))) == "");
    // A score less the largest is rounded, and the exponential makes that a relative error.
    CHECK(relative_error(fast, plain) < 32 * epsilon);
  }
}

TEST_CASE("attention: the example of the lesson, worked by hand") {
  // Two positions, one head of width 4, so scores are halved. Query 1 has scores 0 and ln 3, so weights 1/4 and 3/4.
  const real ln3 = std::log(real(3));
  Problem example({{{7, 7, 7, 7}}, {{2, 0, 0, 0}}},    // q
                  {{{0, 0, 0, 0}}, {{ln3, 0, 0, 0}}},  // k
                  {{{4, 0, 0, 0}}, {{8, 0, 0, 0}}});   // v
  example.forward();
  const Array<double, 3> out = {{{4, 0, 0, 0}}, {{7, 0, 0, 0}}};
  const Array<double, 2> log_sum_exp = {{0}, {std::log(4.0)}};
  CHECK(difference(example.out, out, 8 * epsilon) == "");
  CHECK(difference(example.log_sum_exp, log_sum_exp, 2 * epsilon) == "");

  example.backward({{{1, 0, 0, 0}}, {{1, 0, 0, 0}}});
  const Array<double, 3> d_v = {{{1.25, 0, 0, 0}}, {{0.75, 0, 0, 0}}};
  const Array<double, 3> d_q = {{{0, 0, 0, 0}}, {{0.375 * std::log(3.0), 0, 0, 0}}};
  const Array<double, 3> d_k = {{{-0.75, 0, 0, 0}}, {{0.75, 0, 0, 0}}};
  CHECK(difference(example.d_v, d_v, 2 * epsilon) == "");
  CHECK(difference(example.d_q, d_q, 8 * epsilon) == "");
  CHECK(difference(example.d_k, d_k, 8 * epsilon) == "");
}

TEST_CASE("attention agrees with PyTorch's, forward and backward") {
  const std::string name = GENERATE("mha", "gqa", "mqa", "decode", "chunk", "documents");
  CAPTURE(name);
  const auto file = [&](const char* part) { return "05-attention/" + name + "_" + part + ".npy"; };
  Problem problem(golden_real<3>(file("q")), golden_real<3>(file("k")), golden_real<3>(file("v")));
  if (name == "documents")
    for (double first : golden<1>(file("first_key"))) problem.first_key.push_back(static_cast<std::int32_t>(first));
  problem.forward();
  CHECK(relative_error(problem.out, golden<3>(file("out"))) < forward_tolerance);
  CHECK(relative_error(problem.log_sum_exp, golden<2>(file("log_sum_exp"))) < forward_tolerance);
  problem.backward(golden_real<3>(file("d_out")));
  CHECK(relative_error(problem.d_q, golden<3>(file("d_q"))) < backward_tolerance);
  CHECK(relative_error(problem.d_k, golden<3>(file("d_k"))) < backward_tolerance);
  CHECK(relative_error(problem.d_v, golden<3>(file("d_v"))) < backward_tolerance);
}

#ifdef CRIA_DOUBLE
TEST_CASE("attention's gradients agree with finite differences to 1e-8") {
  auto [T, S, H, G, Dh] = GENERATE(from_range(odd_sizes));
  CAPTURE(T, S, H, G, Dh);
  Problem problem(T, S, H, G, Dh);
  if (T == 33) problem.first_key.assign(T, 41);
  const Array<real, 3> d_out = random_array<3>({T, H, Dh}, 9);
  const auto loss = [&] {
    problem.forward();
    return std::inner_product(problem.out.begin(), problem.out.end(), d_out.begin(), 0.0);
  };
  loss();
  problem.backward(d_out);
  CHECK(gradient_error(view(problem.v).span(), view(problem.d_v).span(), loss) < 1e-8);
  if (S == 1) return;  // a lone key has weight 1 whatever q and k are
  CHECK(gradient_error(view(problem.q).span(), view(problem.d_q).span(), loss) < 1e-8);
  CHECK(gradient_error(view(problem.k).span(), view(problem.d_k).span(), loss) < 1e-8);
}
#endif

TEST_CASE("attention reads and writes rows of wider matrices, and nothing between them") {
  // q, k and v side by side in one matrix, as a single projection would give them; gradients alike.
  const size_t T = 37, H = 4, G = 2, Dh = 5, width = (H + 2 * G) * Dh + 3;
  Problem plain(T, T, H, G, Dh);
  Array<real, 2> wide(Shape<2>{T, width}, real(77)), d_wide(Shape<2>{T, width}, real(0));
  const auto part = [&](Array<real, 2>& x, size_t column, size_t heads) {
    return View<real, 3>(x.data() + column, {T, heads, Dh}, {width, Dh, 1});
  };
  const size_t k_column = H * Dh, v_column = (H + G) * Dh;
  for (size_t t = 0; t < T; ++t) {
    std::copy_n(&plain.q(t, 0, 0), H * Dh, &wide(t, 0));
    std::copy_n(&plain.k(t, 0, 0), G * Dh, &wide(t, k_column));
    std::copy_n(&plain.v(t, 0, 0), G * Dh, &wide(t, v_column));
  }
  Problem strided = plain;
  attention_forward(part(wide, 0, H), part(wide, k_column, G), part(wide, v_column, G), {}, view(strided.out),
                    view(strided.log_sum_exp), strided.scratch);
  plain.forward();
  CHECK(relative_error(strided.out, plain.out) < forward_tolerance);  // measured: 0

  const Array<real, 3> d_out = random_array<3>({T, H, Dh}, 9);
  attention_backward(view(d_out), part(wide, 0, H), part(wide, k_column, G), part(wide, v_column, G), {},
                     view<real, 3>(strided.out), view<real, 2>(strided.log_sum_exp), part(d_wide, 0, H),
                     part(d_wide, k_column, G), part(d_wide, v_column, G), strided.scratch);
  plain.backward(d_out);
  CHECK(relative_error(part(d_wide, 0, H), plain.d_q) < backward_tolerance);  // measured: 0
  CHECK(relative_error(part(d_wide, k_column, G), plain.d_k) < backward_tolerance);
  CHECK(relative_error(part(d_wide, v_column, G), plain.d_v) < backward_tolerance);
  const Range beyond{width - 3, width};
  CHECK(difference(view(wide).columns(beyond), Array<real, 2>(Shape<2>{T, 3}, real(77)), 0) == "");
  CHECK(difference(view(d_wide).columns(beyond), zeros<real, 2>({T, 3}), 0) == "");
}

TEST_CASE("attention's gradients accumulate") {
  Problem problem(40, 40, 4, 2, 8);
  const Array<real, 3> d_out = random_array<3>({40, 4, 8}, 9);
  problem.forward();
  problem.backward(d_out);
  const Array<real, 3> d_q = problem.d_q, d_k = problem.d_k, d_v = problem.d_v;
  problem.backward(d_out);
  CHECK(relative_error(problem.d_q, Array<real, 3>(real(2) * d_q)) < backward_tolerance);
  CHECK(relative_error(problem.d_k, Array<real, 3>(real(2) * d_k)) < backward_tolerance);
  CHECK(relative_error(problem.d_v, Array<real, 3>(real(2) * d_v)) < backward_tolerance);
}

TEST_CASE("attention allocates nothing, and its scratch grows with the keys alone") {
  Problem problem(300, 300, 4, 2, 8);
  const Array<real, 3> d_out = random_array<3>({300, 4, 8}, 9);
  problem.forward();  // the first call may choose the SIMD target
  const size_t before = allocations();
  problem.forward();
  problem.backward(d_out);
  const size_t after = allocations();
  CHECK(after == before);
  CHECK(attention_scratch_size(8192) == 2 * attention_scratch_size(4096));
}

TEST_CASE("attention refuses what does not fit, and says what it got and what it expected") {
  CHECK_THROWS_WITH(Problem(5, 5, 3, 2, 4).forward(), contains("the key/value heads must divide the query heads"));
  CHECK_THROWS_AS(Problem(5, 4, 2, 2, 4).forward(), ContractError);  // T > S
  Problem problem(5, 6, 4, 2, 3);
  const auto refuses = [&](auto spoil, const std::string& message) {
    Problem bad = problem;
    spoil(bad);
    CHECK_THROWS_AS(bad.forward(), ContractError);
    CHECK_THROWS_WITH(bad.forward(), contains(message));
  };
  refuses([](Problem& p) { p.v = zeros<real, 3>({6, 2, 4}); }, "attention: v has shape (6, 2, 4), expected (6, 2, 3)");
  refuses([](Problem& p) { p.k = zeros<real, 3>({6, 2, 4}); }, "attention: k has shape (6, 2, 4), expected (6, 2, 3)");
  refuses([](Problem& p) { p.out = zeros<real, 3>({6, 4, 3}); }, "(6, 4, 3), expected (5, 4, 3)");
  refuses([](Problem& p) { p.log_sum_exp = zeros<real, 2>({5, 2}); }, "(5, 2), expected (5, 4)");
  refuses([](Problem& p) { p.scratch.resize(p.scratch.size() - 1); }, "scratch");
  refuses([](Problem& p) { p.first_key.assign(4, 0); }, "first_key");
  refuses([](Problem& p) { p.first_key.assign(5, -1); }, "first_key");
  refuses([](Problem& p) { p.first_key.assign(5, 2); }, "first_key");  // query 0 is key 1
  const View<real, 3> gaps(problem.q.data(), {5, 2, 3}, {12, 6, 1});   // every other head
  CHECK_THROWS_WITH(attention_forward(gaps, view(problem.k), view(problem.v), {}, view(problem.out),
                                      view(problem.log_sum_exp), problem.scratch),
                    contains("only the first axis may have gaps"));
  problem.forward();
  CHECK_THROWS_WITH(problem.backward(zeros<real, 3>({5, 4, 4})), contains("(5, 4, 4), expected (5, 4, 3)"));
  problem.d_k = zeros<real, 3>({5, 2, 3});
  CHECK_THROWS_WITH(problem.backward(zeros<real, 3>({5, 4, 3})), contains("(5, 2, 3), expected (6, 2, 3)"));
}
