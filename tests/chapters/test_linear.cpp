#include "chapters/02-linear/linear.hpp"

#include <numeric>

#include "lib/tensor/tensor.hpp"
#include "tests/allocations.hpp"
#include "tests/primitive_called.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

// Relative to the largest entry. Measured over the three x86 targets, float and double: at most 2.7 epsilon (portable).
constexpr double tolerance = 8 * epsilon;

using Tokens = Array<std::int32_t, 1>;

}  // namespace

TEST_CASE("a product of matrices, worked by hand") {
  const Array<real, 2> a = {{1, 2, 3}, {0, 1, 0}}, b = {{1, 0}, {2, -1}, {0, 4}};
  Array<real, 2> c(Shape<2>{2, 2}, real(7));
  plain_product(view(a), view(b), view(c));
  CHECK(difference(c, Array<real, 2>{{5, 10}, {2, -1}}, 0) == "");
}

TEST_CASE("the plain product is written out, and does not call the fast one") {
  const Array<real, 2> a = random_array<2>({5, 7}, 1), b = random_array<2>({7, 3}, 2);
  Array<real, 2> c = unwritten<2>({5, 3});
  CHECK(primitive_called([&] { plain_product(view(a), view(b), view(c)); }) == "");
  CHECK(primitive_called([&] { noalias(view(c)) = matmul(view(a), view(b)); }) != "");
}

TEST_CASE("the plain product and matmul agree, for odd sizes and whatever is transposed") {
  const size_t N = 5, K = GENERATE(1, 7, 33), M = 3;
  const Array<real, 2> a = random_array<2>({N, K}, 1), b = random_array<2>({M, K}, 2);
  Array<real, 2> plain = zeros<real, 2>({N, M}), fast = plain, turned = zeros<real, 2>({M, N});
  plain_product(view(a), transposed(view(b)), view(plain));
  noalias(view(fast)) = matmul(view(a), transposed(view(b)));
  CHECK(relative_error(fast, plain) < tolerance);
  plain_product(view(b), transposed(view(a)), view(turned));
  CHECK(relative_error(Array<real, 2>(xt::transpose(turned)), plain) < tolerance);
}

TEST_CASE("linear: the example of the lesson, worked by hand") {
  const Array<real, 2> x = {{1, 2}}, weight = {{1, 0}, {0, 1}, {3, -1}};
  Array<real, 2> y = unwritten<2>({1, 3}), d_x = zeros<real, 2>({1, 2}), d_weight = zeros<real, 2>({3, 2});
  linear_forward(view(x), view(weight), view(y));
  CHECK(difference(y, Array<real, 2>{{1, 2, 1}}, 0) == "");
  const Array<real, 2> d_y = {{1, 0, 2}};
  linear_backward(view(d_y), view(x), view(weight), view(d_x), view(d_weight));
  CHECK(difference(d_x, Array<real, 2>{{7, -2}}, 0) == "");
  CHECK(difference(d_weight, Array<real, 2>{{1, 2}, {0, 0}, {2, 4}}, 0) == "");
}

TEST_CASE("embedding: the example of the lesson, worked by hand") {
  const Array<real, 2> table = {{1, 2}, {3, 4}, {5, 6}}, d_out = {{1, 1}, {10, 10}, {100, 100}};
  const Tokens tokens = {2, 0, 2};
  Array<real, 2> out = unwritten<2>({3, 2}), d_table = zeros<real, 2>({3, 2});
  embedding_forward(view(tokens), view(table), view(out));
  CHECK(difference(out, Array<real, 2>{{5, 6}, {1, 2}, {5, 6}}, 0) == "");
  embedding_backward(view(d_out), view(tokens), view(d_table));
  CHECK(difference(d_table, Array<real, 2>{{10, 10}, {0, 0}, {101, 101}}, 0) == "");
}

TEST_CASE("linear agrees with PyTorch, forward and backward") {
  const std::string name = GENERATE("small", "odd");
  CAPTURE(name);
  const auto load = [&](const char* what) { return golden_real<2>("02-linear/" + name + "_" + what + ".npy"); };
  const auto expected = [&](const char* what) { return golden<2>("02-linear/" + name + "_" + what + ".npy"); };
  const Array<real, 2> x = load("x"), weight = load("weight"), d_y = load("d_y");
  const size_t N = x.shape(0), K = x.shape(1), M = weight.shape(0);
  Array<real, 2> y = unwritten<2>({N, M}), d_x = zeros<real, 2>({N, K}), d_weight = zeros<real, 2>({M, K});
  linear_forward(view(x), view(weight), view(y));
  CHECK(relative_error(y, expected("y")) < tolerance);
  linear_backward(view(d_y), view(x), view(weight), view(d_x), view(d_weight));
  CHECK(relative_error(d_x, expected("d_x")) < tolerance);
  CHECK(relative_error(d_weight, expected("d_weight")) < tolerance);

  // Gradients accumulate: a second call doubles them.
  linear_backward(view(d_y), view(x), view(weight), view(d_x), view(d_weight));
  CHECK(relative_error(d_x, xt::eval(2 * expected("d_x"))) < tolerance);
  CHECK(relative_error(d_weight, xt::eval(2 * expected("d_weight"))) < tolerance);
}

TEST_CASE("the embedding copies rows, and a row collects the gradient of each of its tokens") {
  const Array<real, 2> table = golden_real<2>("02-linear/table.npy"),
                       d_out = golden_real<2>("02-linear/d_embedded.npy");
  const Tokens tokens = xt::cast<std::int32_t>(golden<1>("02-linear/tokens.npy"));
  Array<real, 2> out = unwritten<2>({6, 5}), d_table = zeros<real, 2>({6, 5});
  embedding_forward(view(tokens), view(table), view(out));
  // Only the goldens' rounding to float is left: measured 0.29 and 0.22 epsilon.
  CHECK(relative_error(out, golden<2>("02-linear/embedded.npy")) < epsilon);
  embedding_backward(view(d_out), view(tokens), view(d_table));
  CHECK(relative_error(d_table, golden<2>("02-linear/d_table.npy")) < 0.8 * epsilon);
}

TEST_CASE("linear works on parts of a wider matrix") {
  Array<real, 2> wide = random_array<2>({5, 10}, 1), weight = random_array<2>({3, 4}, 2);
  const View<real, 2> x(wide.data() + 2, {5, 4}, {10, 1}), y(wide.data() + 7, {5, 3}, {10, 1});
  const Array<real, 2> before = wide;
  linear_forward(x, view(weight), y);
  for (size_t n = 0; n < 5; ++n) {
    for (size_t m = 0; m < 3; ++m) {
      double sum = 0;
      for (size_t k = 0; k < 4; ++k) sum += double(before(n, 2 + k)) * weight(m, k);
      CAPTURE(n, m);  // measured: 0.94; 3.3 where products are rounded (dev preset)
      CHECK(difference(y(n, m), sum, 8 * epsilon) == "");
    }
    for (const size_t untouched : {0, 1, 2, 3, 4, 5, 6}) CHECK(wide(n, untouched) == before(n, untouched));
  }
}

TEST_CASE("a frozen weight passes the gradient on and forms none of its own, packed or not") {
  const Array<real, 2> d_y = random_array<2>({7, 150}, 1), x = random_array<2>({7, 5}, 2);
  Array<real, 2> weight = random_array<2>({150, 5}, 3);
  std::vector<simd::Float16> halves(weight.size());
  simd::narrow(weight.data(), halves.data(), weight.size());
  simd::widen(halves.data(), weight.data(), weight.size());  // the numbers that the packed rows stand for
  const auto* bytes = reinterpret_cast<const std::byte*>(halves.data());
  const Weight plain{View<const real, 2>(view(weight))},
      packed{simd::PackedRows{simd::PackedType::f16, bytes, 0, 150, 5}};
  Array<real, 2> d_x = zeros<real, 2>({7, 5}), d_weight = zeros<real, 2>({150, 5});
  linear_backward(view(d_y), view(x), plain, view(d_x), view(d_weight));
  const Array<real, 2> expected = d_x;
  CHECK(total(view(d_weight)[0] * view(d_weight)[0]) > 0);

  d_x.fill(0);
  linear_backward(view(d_y), view(x), plain, view(d_x), {});
  CHECK(difference(d_x, expected, 0) == "");
  d_x.fill(0);
  linear_backward(view(d_y), view(x), packed, view(d_x), {});
  CHECK(relative_error(d_x, expected) < 8 * epsilon);  // sums in another order; measured: 2.1 epsilon
  linear_backward(view(d_y), view(x), packed, view(d_x), {});
  CHECK(relative_error(d_x, Array<real, 2>(real(2) * expected)) < 8 * epsilon);
  CHECK_THROWS_WITH(linear_backward(view(d_y), view(x), packed, view(d_x), view(d_weight)),
                    contains("packed weights have no gradient"));
  linear_backward(view(d_y), view(x), packed, {}, {});  // nothing below learns
  embedding_backward(view(x), View<const std::int32_t, 1>(), {});
}

TEST_CASE("what a weight carries is added to its product, whichever rows of it are asked for") {
  struct Numbered : Addition {  // output m of row n: m
    void forward(View<const real, 2>, Range outputs, View<real, 2> y) const override {
      for (size_t n = 0; n < y.shape(0); ++n)
        for (size_t m = 0; m < outputs.size(); ++m) y(n, m) += real(outputs.begin + m);
    }
    void backward(View<const real, 2> d_y, View<const real, 2>, View<real, 2> d_x) const override {
      noalias(d_x.columns({0, 1})) += d_y.columns({0, 1});
    }
  } addition;
  const Array<real, 2> x = random_array<2>({2, 3}, 1), weight = zeros<real, 2>({9, 3});
  const Weight carrying = Weight(view(weight)).with(addition);
  Array<real, 2> y = zeros<real, 2>({2, 2});
  linear_forward(view(x), carrying.rows({3, 8}).rows({1, 3}), view(y));
  CHECK(difference(y, Array<double, 2>{{4, 5}, {4, 5}}, 0) == "");
  Array<real, 2> d_x = zeros<real, 2>({2, 3});
  const Array<real, 2> d_y = random_array<2>({2, 9}, 2);
  linear_backward(view(d_y), view(x), carrying, view(d_x), {});
  CHECK(difference(d_x, Array<double, 2>{{d_y(0, 0), 0, 0}, {d_y(1, 0), 0, 0}}, 0) == "");
}

#ifdef CRIA_DOUBLE
// The loss is linear in each argument, so only rounding is left. Measured: at most 8e-13.
TEST_CASE("linear's gradients agree with finite differences to 1e-8") {
  Array<real, 2> x = random_array<2>({7, 5}, 1), weight = random_array<2>({6, 5}, 2);
  const Array<real, 2> d_y = random_array<2>({7, 6}, 3);
  Array<real, 2> y = zeros<real, 2>({7, 6}), d_x = zeros<real, 2>({7, 5}), d_weight = zeros<real, 2>({6, 5});
  linear_backward(view(d_y), view(x), view(weight), view(d_x), view(d_weight));
  const auto loss = [&] {
    linear_forward(view(x), view(weight), view(y));
    return std::inner_product(y.begin(), y.end(), d_y.begin(), 0.0);
  };
  CHECK(gradient_error(view(x).span(), view(d_x).span(), loss) < 1e-8);
  CHECK(gradient_error(view(weight).span(), view(d_weight).span(), loss) < 1e-8);
}
#endif

TEST_CASE("wrong shapes and tokens are refused with what was expected") {
  Array<real, 2> x = zeros<real, 2>({2, 3}), weight = zeros<real, 2>({4, 3}), y = zeros<real, 2>({2, 5});
  CHECK_THROWS_AS(linear_forward(view(x), view(weight), view(y)), ContractError);
  CHECK_THROWS_WITH(linear_forward(view(x), view(weight), view(y)),
                    "linear_forward: y has shape (2, 5), expected (2, 4)");
  const Array<real, 2> narrow = zeros<real, 2>({4, 2});
  CHECK_THROWS_WITH(linear_forward(view(x), view(narrow), view(y)),
                    "linear_forward: weight has shape (4, 2), expected (4, 3)");
  Array<real, 2> out = zeros<real, 2>({2, 3});
  const Tokens tokens = {0, 4};
  CHECK_THROWS_WITH(embedding_forward(view(tokens), view(weight), view(out)), contains("token id 4 is not in 0"));
  const Tokens negative = {0, -1};
  CHECK_THROWS_AS(embedding_backward(view(out), view(negative), view(weight)), ContractError);
}
