// The lines of chapter 02's primer on tensor code, as they stand there.
#include "lib/tensor/tensor.hpp"
#include "tests/allocations.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

TEST_CASE("the primer's views look at memory that somebody else owns") {
  // example: views
  std::vector<real> memory = {1, 2, 3, 4, 5, 6};
  const View<real, 2> x(memory.data(), {2, 3});  // 1 2 3
                                                 // 4 5 6
  CHECK(x.shape() == Shape<2>{2, 3});            // two rows of three
  CHECK(x(1, 2) == 6);                           // row 1, column 2: both count from 0
  CHECK(x[1](0) == 4);                           // x[1] is row 1, a View<real, 1>
  CHECK(x.columns({1, 3})(1, 0) == 5);           // columns 1 and 2, of all rows
  CHECK(transposed(x)(2, 1) == 6);               // (3, 2): nothing is moved
  x(0, 0) = 10;
  CHECK(memory[0] == 10);
  // end of example
}

TEST_CASE("the primer's expressions are written into memory that exists, and allocate nothing") {
  std::vector<real> numbers = {1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 0, 10, 20, 30, 100, 200}, products(4);
  const View<real, 2> x(numbers.data(), {2, 3}), y(numbers.data() + 6, {2, 3}), z(products.data(), {2, 2});
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
  // example: broadcasting
  noalias(y) = x * w;          // w = (10, 20, 30) along each row: 10 40 90 / 40 100 180
  noalias(y) = x + column(r);  // r = (100, 200) upright:          101 102 103 / 204 205 206
  // end of example
  CHECK(is(y, {101, 102, 103, 204, 205, 206}));
  noalias(y) = x * w;
  CHECK(is(y, {10, 40, 90, 40, 100, 180}));
  // example: reductions
  const real sum = total(x[0] * w);  // 1·10 + 2·20 + 3·30 = 140
  const real same = dot(x[0], w);    // the same, 140
  const real most = largest(x[1]);   // 6
  noalias(y[0]) = x[0] / sum;        // a number is as good as any operand
  // end of example
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
  const real mean = xt::mean<real>(a)();  // xtensor's own functions take arrays and views
  // end of example
  CHECK(mean == 1);
}
