// The lines of chapter 02's primer on tensor code, as they stand there.
#include "lib/tensor/tensor.hpp"
#include "tests/allocations.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

TEST_CASE("the primer's views look at memory that somebody else owns") {
  // example: views
  std::vector<real> memory = {1, 2, 3, 4, 5, 6};
  const View<real, 2> x(memory, {2, 3});  // 1 2 3    the first six numbers; a pointer will do as well
                                          // 4 5 6
  CHECK(x.shape() == Shape<2>{2, 3});     // two rows of three; x.shape(0) is 2
  CHECK(x(1, 2) == 6);                    // row 1, column 2: both count from 0
  CHECK(x[1](0) == 4);                    // x[1] is row 1, a View<real, 1>
  CHECK(x.rows({1, 2})(0, 0) == 4);       // a part of axis 0, here row 1 only: the end is not included
  CHECK(x.columns({1, 3})(1, 0) == 5);    // a part of axis 1: columns 1 and 2, of all rows
  CHECK(x[1].part({1, 3})(0) == 5);       // a part of a vector
  CHECK(transposed(x)(2, 1) == 6);        // (3, 2): nothing is moved
  x(0, 0) = 10;
  CHECK(memory[0] == 10);
  memory[0] = 1;  // and x(0, 0) is 1 again
  // end of example
  CHECK(x(0, 0) == 1);
}

TEST_CASE("the primer's expressions are written into memory that exists, and allocate nothing") {
  std::vector<real> numbers = {1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 0, 10, 20, 30, 100, 200}, others(6), products(4);
  const View<real, 2> x(numbers, {2, 3}), y(numbers.data() + 6, {2, 3}), u(others, {2, 3}), z(products, {2, 2});
  const View<real, 1> w(numbers.data() + 12, {3}), r(numbers.data() + 15, {2});
  const auto is = [](View<const real, 2> a, std::vector<real> expected) {
    return std::equal(a.begin(), a.end(), expected.begin(), expected.end());
  };
  noalias(z) = matmul(x, transposed(x));  // the first product takes its workspace
  size_t before = allocations();
  // example: expressions
  noalias(y) = 2 * x + 1;    // 3 5 7 / 9 11 13
  noalias(y) += x * x;       // 4 9 16 / 25 36 49: element by element, not a matrix product
  noalias(y) = xt::sqrt(y);  // 2 3 4 / 5 6 7: y itself may be an operand
  noalias(y[0]) = x[1] - 1;  // 3 4 5 / 5 6 7: one row
  // end of example
  CHECK(allocations() == before);
  CHECK(is(y, {3, 4, 5, 5, 6, 7}));
  // example: together
  const auto s = 2 * x;                    // still a recipe: nothing is computed
  noalias(y, u) = together(s + 1, s * s);  // one loop: y is 3 5 7 / 9 11 13, u is 4 16 36 / 64 100 144
  noalias(y, u) = together(u, y);          // exchanges their numbers
  // end of example
  CHECK((is(y, {4, 16, 36, 64, 100, 144}) && is(u, {3, 5, 7, 9, 11, 13})));
  // example: broadcasting
  noalias(y) = x * w;          // w along each row:  10 40 90 / 40 100 180
  noalias(y) = x + column(r);  // r upright:         101 102 103 / 204 205 206
  noalias(y) = column(r) * w;  // an outer product:  1000 2000 3000 / 2000 4000 6000
  // end of example
  CHECK(is(y, {1000, 2000, 3000, 2000, 4000, 6000}));
  noalias(y) = x * w;
  CHECK(is(y, {10, 40, 90, 40, 100, 180}));
  noalias(y) = x + column(r);
  CHECK(is(y, {101, 102, 103, 204, 205, 206}));
  std::vector<real> four = {1, 2, 3, 4};
  const View<real, 1> v(four, {4});
  noalias(v) = xt::log(v);
  // example: reductions
  const real sum = total(x[0] * w);  // 1·10 + 2·20 + 3·30 = 140
  const real same = dot(x[0], w);    // the same, 140
  const real most = largest(x[1]);   // 6
  noalias(y[0]) = x[0] / sum;        // a number can be an operand
  const real lse = softmax(v);       // v = ln (1, 2, 3, 4) is (0.1, 0.2, 0.3, 0.4) now; lse = log Σ exp(v) = ln 10
  // end of example
  CHECK((std::abs(lse - std::log(real(10))) < 4 * epsilon && std::abs(v[3] - real(0.4)) < 4 * epsilon));
  CHECK((sum == 140 && same == 140 && most == 6 && y(0, 2) == real(3) / 140));
  before = allocations();
  // example: products
  noalias(z) = matmul(x, transposed(x));   // (2, 3) (3, 2): 14 32 / 32 77
  noalias(z) += matmul(x, transposed(x));  // 28 64 / 64 154
  // end of example
  CHECK(allocations() == before);
  CHECK(is(z, {28, 64, 64, 154}));
}

TEST_CASE("the primer's arrays own their memory") {
  // example: arrays
  Array<real, 2> a = zeros<real, 2>({2, 3});
  noalias(view(a)) = 1;
  const real mean = xt::mean<real>(a)();  // xtensor's own functions are recipes too: () computes this one, in real
  // end of example
  CHECK(mean == 1);
}

TEST_CASE("the primer's table says in cria what NumPy says") {
  std::vector<real> numbers = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  const View<real, 2> x(numbers, {4, 3});
  const View<real, 3> t(numbers, {2, 3, 2});
  CHECK((x.rows({1, 3}).shape() == Shape<2>{2, 3} && x.rows({1, 3})(0, 0) == 4));
  CHECK((x.columns({1, 3}).shape() == Shape<2>{4, 2} && x.columns({1, 3})(3, 1) == 12));
  CHECK((x[2].part({1, 3}).shape() == Shape<1>{2} && x[2].part({1, 3})(0) == 8));
  CHECK((t.at<1>(2).shape() == Shape<2>{2, 2} && t.at<1>(2)(1, 0) == 11));
  CHECK((t.swapped<0, 1>().shape() == Shape<3>{3, 2, 2} && t.swapped<0, 1>()(2, 1, 0) == 11));
  CHECK(x.reshape(Shape<2>{3, 4})(2, 3) == 12);
}
